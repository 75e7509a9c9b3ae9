// IFEval: a prompt with instructions that a program can check (Zhou et al. 2023, arXiv 2311.07911). What is to be
// checked travels as it is: `instruction_id_list` and `kwargs`.
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"key", Shape::any}, {"prompt", Shape::text}, {"instruction_id_list", Shape::texts}, {"kwargs", Shape::list}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "key");
  draft.question(row, "prompt");
}

class IfEval final : public TwoWayFormat {
 public:
  IfEval() : TwoWayFormat("ifeval", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, ifeval, IfEval, .summary = "prompts with instructions that a program can check (IFEval)");

}  // namespace attune::formats
