// PRISM, utterances: one model's answer with a participant's score from 1 to 100 and whether it was chosen (Kirk et al.
// 2024, arXiv 2404.16019).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"utterance_id", Shape::text},   {"user_id", Shape::text}, {"user_prompt", Shape::text},
                          {"model_response", Shape::text}, {"score", Shape::number}, {"if_chosen", Shape::boolean}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "utterance_id");
  draft.question(row, "user_prompt");
  const std::int32_t answer = draft.answer(row, "model_response");
  draft.speaker(row, "model_name", answer);
  const std::int32_t person = draft.judge(row, "user_id");
  const Scale scale{.name = "prism", .low = 1, .high = 100};
  draft.rating(row, "score", {.attribute = "score", .on = {.completion = answer}, .scale = scale, .annotator = person});
  draft.flag(row, "if_chosen", "chosen", {.completion = answer});
}

class PrismUtterances final : public TwoWayFormat {
 public:
  PrismUtterances() : TwoWayFormat("prism-utterances", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, prism_utterances, PrismUtterances,
            .summary = "an answer with a participant's score from 1 to 100 (PRISM, utterances)");

}  // namespace attune::formats
