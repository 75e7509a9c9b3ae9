// RewardBench 2: right and wrong answers in lists; more than one may be right (Malik et al. 2025, arXiv 2506.01937).
#include "attune/data/formats/answer_lists.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"id", Shape::text},        {"prompt", Shape::text},         {"chosen", Shape::texts},
    {"rejected", Shape::texts}, {"num_correct", Shape::integer}, {"num_incorrect", Shape::integer},
    {"subset", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "id");
  draft.question(row, "prompt");
  chosen_and_rejected_lists(row, draft);
}

class RewardBench2 final : public TwoWayFormat {
 public:
  RewardBench2() : TwoWayFormat("rewardbench2", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, rewardbench2, RewardBench2, .summary = "lists of right and wrong answers (RewardBench 2)");

}  // namespace attune::formats
