// Arena-Hard v2's judgements: a model's two games against a named baseline (Li et al. 2024, arXiv 2406.11939).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/unseen.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"uid", Shape::text},
                          {"judge", Shape::text},
                          {"model", Shape::text},
                          {"baseline", Shape::text},
                          {"games", Shape::objects}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "uid");
  unseen_answer(row, draft, "baseline", 0);
  unseen_answer(row, draft, "model", 1);
  const std::int32_t judge = draft.judge(row, "judge", Annotator::model);
  arena_hard_games(row, draft, judge, true);
}

class ArenaHard2Judgments final : public TwoWayFormat {
 public:
  ArenaHard2Judgments() : TwoWayFormat("arena-hard2-judgments", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, arena_hard2_judgments, ArenaHard2Judgments,
            .summary = "a judge's verdicts on a model and a baseline in both orders (Arena-Hard v2)");

}  // namespace attune::formats
