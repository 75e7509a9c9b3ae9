// OpenAssistant's flat files: one message a row, which names its parent (Koepf et al. 2023, arXiv 2304.07327). A row is
// a record of that one message; parent, rank and labels travel as columns. The tree files hold whole conversations.
#include "attune/data/formats/messages.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"message_id", Shape::text}, {"parent_id", Shape::any}, {"text", Shape::text},
                          {"role", Shape::text},       {"lang", Shape::text},     {"message_tree_id", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "message_id");
  std::string text, role;
  if (!draft.reading()) {
    const auto& nodes = draft.record().nodes;
    const auto only = nodes.size() == 1 ? only_text(nodes[0].message) : std::nullopt;
    const Role who = nodes.empty() ? Role::plain : nodes[0].message.role;
    if (!only || (who != Role::user && who != Role::assistant)) return draft.refuse();
    text = *only;
    role = who == Role::user ? "prompter" : "assistant";
  }
  row.text("text", text);
  row.text("role", role);
  if (!draft.reading()) return;
  if (role != "prompter" && role != "assistant") {
    return row.fail("role", "an unknown role", "prompter or assistant");
  }
  Message message{.role = role == "prompter" ? Role::user : Role::assistant};
  message.content.push_back({.text = std::move(text)});
  Record& record = draft.filled();
  append_chain(record, -1, {std::move(message)});
  if (role == "assistant") record.completions.push_back({-1, 0});
}

class OasstFlat final : public TwoWayFormat {
 public:
  OasstFlat() : TwoWayFormat("oasst-flat", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, oasst_flat, OasstFlat, .summary = "one message a row, with its parent (OpenAssistant, flat)");

}  // namespace attune::formats
