#include "attune/data/formats/turns.h"

#include <algorithm>

namespace attune::formats {
namespace {

Message turn(Role role, std::string_view text) {
  Message message = {.role = role};
  message.content.emplace_back().text = text;
  return message;
}

std::vector<Message> split(std::string_view text, const TurnMarkers& markers) {
  std::vector<Message> turns;
  Role role = Role::user;
  if (markers.leads && text.starts_with(markers.user)) text.remove_prefix(markers.user.size());
  if (markers.trails && text.ends_with(markers.assistant)) text.remove_suffix(markers.assistant.size());
  while (true) {
    const std::size_t user = text.find(markers.user), assistant = text.find(markers.assistant);
    const std::size_t end = std::min({user, assistant, text.size()});
    turns.push_back(turn(role, text.substr(0, end)));
    if (end == text.size()) return turns;
    role = end == user ? Role::user : Role::assistant;
    text.remove_prefix(end + (end == user ? markers.user : markers.assistant).size());
  }
}

}  // namespace

void marked_prompt(Entry& entry, std::string_view key, const TurnMarkers& markers, Draft& draft) {
  std::string text;
  if (!draft.reading()) {
    const auto messages = draft.prompt();
    if (messages.empty() || messages.front()->role != Role::user) return draft.refuse();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const auto only = only_text(*messages[i]);
      const bool user = messages[i]->role == Role::user;
      if (!only || (!user && messages[i]->role != Role::assistant)) return draft.refuse();
      if (i > 0 || markers.leads) text += user ? markers.user : markers.assistant;
      text += *only;
    }
    if (markers.trails) text += markers.assistant;
  }
  entry.text(key, text);
  if (draft.reading()) draft.add_prompt(split(text, markers));
}

}  // namespace attune::formats
