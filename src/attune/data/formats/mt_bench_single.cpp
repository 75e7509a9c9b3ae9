// MT-bench's single judgements: a judge's grade from 1 to 10 of one model's turn; -1 where none could be read from the
// judge's text, which then is no rating (Zheng et al. 2023, arXiv 2306.05685).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/unseen.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"question_id", Shape::any},
                          {"model", Shape::text},
                          {"judge", Shape::texts},
                          {"judgment", Shape::text},
                          {"score", Shape::number}};

void grade(Entry& row, std::int32_t judge, Draft& draft) {
  const auto is = [](const Feedback& feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    return rating != nullptr && rating->attribute == "score" && feedback.on == Target{.completion = 0};
  };
  draft.opinion(is, [&](Feedback& feedback) {
    std::optional<double> score;
    if (!draft.reading()) score = std::get<Rating>(feedback.what).value;
    row.text("judgment", feedback.why);
    row.integer("score", score);
    if (!draft.reading() || !score || *score == -1) return false;
    if (*score < 1 || *score > 10) {
      row.fail("score", "a value outside of its scale", "1 to 10, or -1");
      return false;
    }
    feedback.what = Rating{"score", *score, draft.scale({.name = "mt-bench", .low = 1, .high = 10})};
    feedback.on = {.completion = 0};
    feedback.annotator = judge;
    return true;
  });
}

void map(Entry& row, Draft& draft) {
  draft.identity(row, "question_id");
  unseen_answer(row, draft, "model", 0);
  grade(row, judge_and_prompt(row, draft), draft);
}

class MtBenchSingle final : public TwoWayFormat {
 public:
  MtBenchSingle() : TwoWayFormat("mt-bench-single", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, mt_bench_single, MtBenchSingle,
            .summary = "a judge's grade of one model's turn (MT-bench, single judgements)");

}  // namespace attune::formats
