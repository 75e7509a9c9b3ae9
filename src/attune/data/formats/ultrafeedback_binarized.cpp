// UltraFeedback-binarized: two scored conversations per prompt (Tunstall et al. 2023, arXiv 2310.16944). `prompt` and
// `messages` repeat what the conversations say and are written from them.
#include "attune/data/formats/messages.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text},         {"prompt_id", Shape::text},
                          {"chosen", Shape::objects},      {"rejected", Shape::objects},
                          {"score_chosen", Shape::number}, {"score_rejected", Shape::number}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "prompt_id");
  const std::int32_t chosen = draft.transcript(row, "chosen"), rejected = draft.transcript(row, "rejected");
  draft.rating(row, "score_chosen", {.attribute = "score", .on = {.completion = chosen}, .real = true});
  draft.rating(row, "score_rejected", {.attribute = "score", .on = {.completion = rejected}, .real = true});
  draft.prefers(chosen, rejected);
  if (draft.reading() || !draft.possible()) return;
  const auto prompt = draft.prompt();
  if (!prompt.empty()) row.out("prompt", text_of(*prompt.back()));
  const auto path = path_to(draft.record(), draft.record().completions[0].last);
  row.out("messages", Json::parse(write_messages(path)));
}

class UltraFeedbackBinarized final : public TwoWayFormat {
 public:
  UltraFeedbackBinarized() : TwoWayFormat("ultrafeedback-binarized", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, ultrafeedback_binarized, UltraFeedbackBinarized,
            .summary = "two scored conversations, chosen and rejected (UltraFeedback-binarized)");

}  // namespace attune::formats
