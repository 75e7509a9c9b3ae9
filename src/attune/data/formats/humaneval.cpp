// HumanEval: the head of a function to complete, with a solution and tests (Chen et al. 2021, arXiv 2107.03374).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"task_id", Shape::text},
                          {"prompt", Shape::text},
                          {"canonical_solution", Shape::text},
                          {"test", Shape::text},
                          {"entry_point", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "task_id");
  draft.question(row, "prompt");
  draft.reference(row, "canonical_solution");
}

class HumanEval final : public TwoWayFormat {
 public:
  HumanEval() : TwoWayFormat("humaneval", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, humaneval, HumanEval, .summary = "functions to complete, with tests (HumanEval)");

}  // namespace attune::formats
