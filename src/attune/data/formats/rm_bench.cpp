// RM-Bench: three right and three wrong answers, from plain to elaborate style (Liu et al. 2024, arXiv 2410.16184).
#include "attune/data/formats/answer_lists.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"id", Shape::any}, {"prompt", Shape::text}, {"chosen", Shape::texts}, {"rejected", Shape::texts}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "id");
  draft.question(row, "prompt");
  chosen_and_rejected_lists(row, draft);
}

class RmBench final : public TwoWayFormat {
 public:
  RmBench() : TwoWayFormat("rm-bench", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, rm_bench, RmBench, .summary = "right and wrong answers in three styles (RM-Bench)");

}  // namespace attune::formats
