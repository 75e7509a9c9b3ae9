// RewardBench: one chosen and one rejected answer with the models that gave them (Lambert et al. 2024, arXiv
// 2403.13787).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text},   {"chosen", Shape::text},         {"chosen_model", Shape::text},
                          {"rejected", Shape::text}, {"rejected_model", Shape::text}, {"subset", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.question(row, "prompt");
  const std::int32_t chosen = draft.answer(row, "chosen"), rejected = draft.answer(row, "rejected");
  draft.speaker(row, "chosen_model", chosen);
  draft.speaker(row, "rejected_model", rejected);
  draft.prefers(chosen, rejected);
}

class RewardBench final : public TwoWayFormat {
 public:
  RewardBench() : TwoWayFormat("rewardbench", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, rewardbench, RewardBench,
            .summary = "a chosen and a rejected answer with their models (RewardBench)");

}  // namespace attune::formats
