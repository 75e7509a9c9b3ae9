#include "attune/data/formats/instruction.h"

namespace attune::formats {
namespace {

constexpr std::string_view between = "\n\n";

}  // namespace

void instruction_and_input(Entry& row, Draft& draft) {
  std::string instruction, input;
  if (!draft.reading()) {
    const auto prompt = draft.prompt();
    if (prompt.size() != 1 || prompt[0]->role != Role::user || !prompt[0]->extra_json.empty()) return draft.refuse();
    const auto& parts = prompt[0]->content;
    for (const Content& part : parts) {
      if (part.kind != Content::Kind::text) return draft.refuse();
    }
    if (parts.empty() || parts.size() > 2) return draft.refuse();
    if (parts.size() == 2 && !parts[1].text.starts_with(between)) return draft.refuse();
    instruction = parts[0].text;
    if (parts.size() == 2) input = parts[1].text.substr(between.size());
  }
  row.text("instruction", instruction);
  row.text("input", input);
  if (!draft.reading()) return;
  Message message{.role = Role::user};
  message.content.push_back({.text = std::move(instruction)});
  if (!input.empty()) message.content.push_back({.text = std::string(between) + input});
  draft.add_prompt({std::move(message)});
}

}  // namespace attune::formats
