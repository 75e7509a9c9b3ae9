// TRL's stepwise rows: an answer in steps, each right or wrong (process supervision; Uesato et al. 2022, arXiv
// 2211.14275). The answer is one plain text in parts, a part a step; a step's label is a thumb for that step.
#include "attune/data/formats/messages.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text}, {"completions", Shape::texts}, {"labels", Shape::list}};

bool is_plain(const std::vector<const Message*>& messages) {
  return messages.size() == 1 && messages[0]->role == Role::plain;
}

void steps(Entry& row, Draft& draft) {
  std::vector<std::string> texts;
  if (!draft.reading()) {
    const bool one = draft.answers() == 1;
    const auto answer =
        one ? completion_messages(draft.record(), draft.record().completions[0]) : std::vector<const Message*>{};
    if (!is_plain(answer) || !is_plain(draft.prompt())) return draft.refuse();
    row.out("prompt", text_of(*draft.prompt()[0]));
    for (const Content& part : answer[0]->content) texts.push_back(part.text);
    return row.texts("completions", texts);
  }
  std::string prompt;
  row.text("prompt", prompt);
  row.texts("completions", texts);
  draft.add_prompt({plain_message(std::move(prompt))});
  Message answer{.role = Role::plain};
  for (std::string& text : texts) answer.content.push_back({.text = std::move(text)});
  Record& record = draft.filled();
  record.completions.push_back({0, append_chain(record, 0, {std::move(answer)})});
}

void labels(Entry& row, Draft& draft) {
  const auto is_step = [](const Feedback& feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    return rating != nullptr && rating->attribute == "thumb" && feedback.on.completion == 0 && feedback.on.step >= 0;
  };
  Json list = Json::array();
  if (draft.reading()) list = *row.in("labels");
  const std::size_t count = draft.reading() ? list.size() : draft.count(is_step);
  for (std::size_t i = 0; i < count; ++i) {
    if (draft.reading() && !list.items()[i].is_bool()) {
      return row.fail_type("labels[" + std::to_string(i) + ']', list.items()[i], "true or false");
    }
    draft.opinion(is_step, [&](Feedback& feedback) {
      if (!draft.reading()) {
        list.push_back(std::get<Rating>(feedback.what).value > 0.5);
        return false;
      }
      const std::int32_t scale = draft.scale({.name = "thumb", .low = 0, .high = 1, .words = {"down", "up"}});
      feedback.what = Rating{"thumb", list.items()[i].boolean() ? 1.0 : 0.0, scale};
      feedback.on = {.completion = 0, .step = static_cast<std::int32_t>(i)};
      return true;
    });
  }
  if (!draft.reading()) row.out("labels", std::move(list));
}

void map(Entry& row, Draft& draft) {
  steps(row, draft);
  if (draft.reading()) {
    const Json* texts = row.in("completions");
    const Json* given = row.in("labels");
    if (texts->is_array() && given->is_array() && texts->size() != given->size()) {
      return row.fail("labels", std::to_string(given->size()) + " labels",
                      std::to_string(texts->size()) + ", one a step");
    }
  }
  labels(row, draft);
}

class TrlStepwise final : public TwoWayFormat {
 public:
  TrlStepwise() : TwoWayFormat("trl-stepwise", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, trl_stepwise, TrlStepwise, .summary = "an answer in steps, each right or wrong (TRL: PRM)");

}  // namespace attune::formats
