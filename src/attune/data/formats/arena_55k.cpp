// Chatbot Arena, the second generation (55k): prompts and answers as JSON lists inside of strings, one text a turn, and
// one column a verdict (Chiang et al. 2024, arXiv 2403.04132).
#include "attune/data/formats/messages.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text},        {"response_a", Shape::text},    {"response_b", Shape::text},
                          {"winner_model_a", Shape::any}, {"winner_model_b", Shape::any}, {"winner_tie", Shape::any}};

// The turns of one side: a JSON list of strings inside of a string; null is a turn without text.
std::vector<Message> turns(Entry& row, const char* key, Role role) {
  std::vector<Message> messages;
  std::string text;
  row.text(key, text);
  try {
    const Json list = Json::parse(text);
    if (!list.is_array()) row.fail(key, "a string that holds no list", "a JSON list of turns in a string");
    for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
      const Json& item = list.items()[i];
      if (!item.is_string() && !item.is_null()) row.fail_type(key, item, "turns that are strings");
      Message& message = messages.emplace_back(Message{.role = role});
      if (item.is_string()) message.content.emplace_back().text = item.string();
    }
  } catch (const JsonSyntaxError&) {
    row.fail(key, "a string that holds broken JSON", "a JSON list of turns in a string");
  }
  return messages;
}

std::string list_in_text(const std::vector<Message>& messages) {
  Json list = Json::array();
  for (const Message& message : messages) list.push_back(message.content.empty() ? Json() : Json(text_of(message)));
  return list.str();
}

// Writing: what one side says along the whole path of an answer.
std::vector<Message> said_by(Draft& draft, std::int32_t answer, Role role) {
  std::vector<Message> messages;
  if (answer >= std::ssize(draft.record().completions)) {
    draft.refuse();
    return messages;
  }
  const Completion& completion = draft.record().completions[static_cast<std::size_t>(answer)];
  Role expected = Role::user;
  for (const Message* message : path_to(draft.record(), completion.last)) {
    if (message->role != expected || !only_text(*message)) draft.refuse();
    expected = expected == Role::user ? Role::assistant : Role::user;
    if (message->role == role) messages.push_back({.role = role, .content = message->content});
  }
  return messages;
}

void add_conversation(const std::vector<Message>& prompts, const std::vector<Message>& answers, Entry& row,
                      const char* key, Draft& draft) {
  if (prompts.empty() || answers.size() != prompts.size()) {
    return row.fail(key, "another number of turns than prompt has", "one answer a turn");
  }
  std::vector<Message> rest;
  for (std::size_t turn = 0; turn < prompts.size(); ++turn) {
    if (turn > 0) rest.push_back(prompts[turn]);
    rest.push_back(answers[turn]);
  }
  Record& record = draft.filled();
  if (record.nodes.empty()) append_chain(record, -1, {prompts[0]});
  record.completions.push_back({0, append_chain(record, 0, std::move(rest))});
}

void winner(Entry& row, Draft& draft) {
  const auto is = [](const Feedback& feedback) {
    const auto* comparison = std::get_if<Comparison>(&feedback.what);
    return comparison != nullptr && comparison->a == Target{.completion = 0} &&
           comparison->b == Target{.completion = 1};
  };
  constexpr std::pair<const char*, Outcome> columns[] = {
      {"winner_model_a", Outcome::a}, {"winner_model_b", Outcome::b}, {"winner_tie", Outcome::tie}};
  draft.opinion(is, [&](Feedback& feedback) {
    int ones = 0;
    for (const auto& [key, outcome] : columns) {
      std::optional<double> value;
      if (!draft.reading()) value = std::get<Comparison>(feedback.what).outcome == outcome ? 1 : 0;
      row.integer(key, value);
      if (!draft.reading() || value != 1) continue;
      ++ones;
      feedback.what = Comparison{{.completion = 0}, {.completion = 1}, outcome};
    }
    if (draft.reading() && ones > 1) row.fail("winner_tie", "more than one verdict", "exactly one of three");
    return ones == 1;
  });
}

void map(Entry& row, Draft& draft) {
  std::vector<Message> prompts = draft.reading() ? turns(row, "prompt", Role::user) : said_by(draft, 0, Role::user);
  for (const std::int32_t i : {0, 1}) {
    const char* key = i == 0 ? "response_a" : "response_b";
    if (!draft.reading()) {
      if (said_by(draft, i, Role::user) != prompts) draft.refuse();
      row.out(key, list_in_text(said_by(draft, i, Role::assistant)));
    } else {
      add_conversation(prompts, turns(row, key, Role::assistant), row, key, draft);
    }
  }
  if (!draft.reading()) row.out("prompt", list_in_text(prompts));
  draft.speaker(row, "model_a", 0);
  draft.speaker(row, "model_b", 1);
  winner(row, draft);
}

class Arena55k final : public TwoWayFormat {
 public:
  Arena55k() : TwoWayFormat("arena-55k", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, arena_55k, Arena55k,
            .summary = "turns as JSON lists in strings and a column a verdict (Chatbot Arena, 55k)");

}  // namespace attune::formats
