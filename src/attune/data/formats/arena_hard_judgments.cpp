// Arena-Hard v0.1's judgements: a model's two games against the baseline, whose name the file does not say (Li et al.
// 2024, arXiv 2406.11939).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/unseen.h"

namespace attune::formats {
namespace {

constexpr std::string_view baseline = "baseline";
constexpr Sign signs[] = {
    {"question_id", Shape::text}, {"model", Shape::text}, {"judge", Shape::text}, {"games", Shape::objects}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "question_id");
  if (draft.reading()) {
    add_unseen_answer(draft, std::string(baseline));
  } else if (unseen_name(draft, 0) != baseline) {
    draft.refuse();
  }
  unseen_answer(row, draft, "model", 1);
  const std::int32_t judge = draft.judge(row, "judge", Annotator::model);
  arena_hard_games(row, draft, judge, false);
}

class ArenaHardJudgments final : public TwoWayFormat {
 public:
  ArenaHardJudgments() : TwoWayFormat("arena-hard-judgments", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, arena_hard_judgments, ArenaHardJudgments,
            .summary = "a judge's verdicts on a model's answer in both orders (Arena-Hard v0.1)");

}  // namespace attune::formats
