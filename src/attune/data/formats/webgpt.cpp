// WebGPT comparisons: two answers to a question, with scores in [-1, 1] that add up to 0; both 0 is a tie (Nakano et
// al. 2021, arXiv 2112.09332).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"question", Shape::object},
                          {"answer_0", Shape::text},
                          {"answer_1", Shape::text},
                          {"score_0", Shape::number},
                          {"score_1", Shape::number}};

void map(Entry& row, Draft& draft) {
  std::string extra = draft.reading() || draft.record().nodes.empty() ? "" : draft.record().nodes[0].message.extra_json;
  row.object("question", [&](Entry& question) {
    draft.bare_question(question, "full_text");
    question.rest(extra);
  });
  if (draft.reading() && !draft.record().nodes.empty()) draft.filled().nodes[0].message.extra_json = std::move(extra);
  const std::int32_t first = draft.answer(row, "answer_0"), second = draft.answer(row, "answer_1");
  std::optional<double> scores[2];
  if (draft.reading()) {
    row.real("score_0", scores[0]);
    row.real("score_1", scores[1]);
  }
  const Scale scale{.name = "preference", .low = -1, .high = 1};
  draft.rating(row, "score_0", {.attribute = "score", .on = {.completion = first}, .scale = scale, .real = true});
  draft.rating(row, "score_1", {.attribute = "score", .on = {.completion = second}, .scale = scale, .real = true});
  draft.implied_verdict(scores[0].value_or(0), scores[1].value_or(0));
}

class WebGpt final : public TwoWayFormat {
 public:
  WebGpt() : TwoWayFormat("webgpt", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, webgpt, WebGpt,
            .summary = "two answers to a question with scores that add up to 0 (WebGPT comparisons)");

}  // namespace attune::formats
