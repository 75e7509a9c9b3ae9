// MT-bench's pair judgements: a judge's verdict on two models in both orders; both columns name the model that won, and
// "error" where the judge's text gave no verdict (Zheng et al. 2023, arXiv 2306.05685).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/unseen.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"question_id", Shape::any}, {"model_1", Shape::text},   {"model_2", Shape::text},
                          {"g1_winner", Shape::text},  {"g2_winner", Shape::text}, {"judge", Shape::texts}};

constexpr OutcomeWord words[] = {{"model_1", Outcome::a}, {"model_2", Outcome::b}, {"tie", Outcome::tie}};

void game(Entry& row, const std::string& head, const std::vector<std::int32_t>& shown, std::int32_t judge,
          Draft& draft) {
  const auto is = [&](const Feedback& feedback) { return compares_first_two(feedback) && feedback.shown == shown; };
  draft.opinion(is, [&](Feedback& feedback) {
    std::string winner;
    if (!draft.reading()) {
      for (const OutcomeWord& word : words) {
        if (word.outcome == std::get<Comparison>(feedback.what).outcome) winner = word.text;
      }
      if (winner.empty()) draft.refuse();
    }
    row.text(head + "_winner", winner);
    row.optional_text(head + "_judgment", feedback.why);
    if (!draft.reading() || winner == "error") return false;
    for (const OutcomeWord& word : words) {
      if (word.text != winner) continue;
      feedback.what = Comparison{{.completion = 0}, {.completion = 1}, word.outcome};
      feedback.shown = shown;
      feedback.annotator = judge;
      return true;
    }
    row.fail(head + "_winner", "an unknown verdict", "model_1, model_2, tie or error");
    return false;
  });
}

void map(Entry& row, Draft& draft) {
  draft.identity(row, "question_id");
  unseen_answer(row, draft, "model_1", 0);
  unseen_answer(row, draft, "model_2", 1);
  const std::int32_t judge = judge_and_prompt(row, draft);
  game(row, "g1", {0, 1}, judge, draft);
  game(row, "g2", {1, 0}, judge, draft);
}

class MtBenchPair final : public TwoWayFormat {
 public:
  MtBenchPair() : TwoWayFormat("mt-bench-pair", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, mt_bench_pair, MtBenchPair,
            .summary = "a judge's verdicts on two models in both orders (MT-bench, pair judgements)");

}  // namespace attune::formats
