// MultiPICo as the Learning-with-Disagreements task gives it: a post, a reply to it and each annotator's vote whether
// the reply is ironic (Casola et al. 2024, ACL). The published file is one object of items by their ids (rows.h).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"annotation task", Shape::text}, {"text", Shape::object}, {"annotations", Shape::object}};

void votes(Entry& row, Draft& draft) {
  if (!draft.reading()) {
    Json object = Json::object();
    for (const Feedback& feedback : draft.record().feedback) {
      const auto* label = std::get_if<Label>(&feedback.what);
      const Annotator* who = draft.annotator_at(feedback.annotator);
      if (label == nullptr || who == nullptr || label->name != draft.record().context) continue;
      object.members().emplace_back(who->id, label->value);
    }
    return row.out("annotations", std::move(object));
  }
  const Json* annotations = row.in("annotations");
  if (annotations == nullptr) return;
  for (const auto& [who, value] : annotations->members()) {
    if (!value.is_string()) return row.fail_type("annotations", value, "a label of each annotator, as a string");
    draft.filled().feedback.push_back({.what = Label{draft.record().context, value.string()},
                                       .on = {.completion = 0},
                                       .annotator = draft.annotator({.kind = Annotator::crowd, .id = who})});
  }
}

void map(Entry& row, Draft& draft) {
  draft.context(row, "annotation task");
  row.object("text", [&](Entry& text) {
    draft.question(text, "post");
    draft.answer(text, "reply");
  });
  votes(row, draft);
}

class MultiPico final : public TwoWayFormat {
 public:
  MultiPico() : TwoWayFormat("multipico", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, multipico, MultiPico, .summary = "a reply to a post and each annotator's vote on it (MultiPICo)");

}  // namespace attune::formats
