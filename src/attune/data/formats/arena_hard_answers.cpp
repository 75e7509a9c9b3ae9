// Arena-Hard's answers: a conversation with one model; the answer is a text, or an object that holds it (Li et al.
// 2024, arXiv 2406.11939).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"uid", Shape::text}, {"ans_id", Shape::text}, {"model", Shape::text}, {"messages", Shape::objects}};

// The messages with `{"answer": text}` as the text; the row's own form is kept where it was that.
std::int32_t wrapped_transcript(Entry& row, Draft& draft) {
  const Json* messages = draft.reading() ? row.in("messages") : nullptr;
  if (messages == nullptr || !messages->is_array()) return draft.transcript(row, "messages");
  Json unwrapped = Json::object({{"messages", *messages}});
  for (Json& message : unwrapped.members()[0].second.items()) {
    const Json* content = message.find("content");
    const Json* answer = content == nullptr ? nullptr : content->find("answer");
    if (answer == nullptr || !answer->is_string()) continue;
    Json text = *answer;
    message.set("content", std::move(text));
  }
  Entry inner(unwrapped, "", row.context());
  return draft.transcript(inner, "messages");
}

void map(Entry& row, Draft& draft) {
  draft.identity(row, "uid");
  draft.speaker(row, "model", wrapped_transcript(row, draft));
}

class ArenaHardAnswers final : public TwoWayFormat {
 public:
  ArenaHardAnswers() : TwoWayFormat("arena-hard-answers", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, arena_hard_answers, ArenaHardAnswers, .summary = "one model's conversation (Arena-Hard answers)");

}  // namespace attune::formats
