#include "attune/data/formats/prompted.h"

#include <algorithm>

#include "attune/data/formats/messages.h"

namespace attune::formats {
namespace {

// A column as messages: a text becomes one plain message.
std::vector<Message> read_column(std::string_view key, Columns& columns, RowContext& context) {
  const Json* value = columns.require(key, "a string or a list of messages");
  if (value == nullptr) return {};
  if (value->is_string()) return {plain_message(value->string())};
  if (value->is_array()) return read_messages(*value, columns.raw(key), std::string(key), context);
  context.fail_type(std::string(key), *value, "a string or a list of messages");
  return {};
}

}  // namespace

std::int32_t read_prompt(Columns& columns, RowContext& context, Record& record) {
  std::vector<Message> prompt = read_column("prompt", columns, context);
  if (context.failed()) return -1;
  if (prompt.empty()) context.fail("prompt", "an empty list of messages", "a prompt");
  return append_chain(record, -1, std::move(prompt));
}

Record read_prompted(Columns& columns, RowContext& context) {
  Record record;
  std::vector<Message> prompt = read_column("prompt", columns, context);
  std::vector<Message> completion = read_column("completion", columns, context);
  if (context.failed()) return record;
  check_answer(completion, "completion", context);
  const auto is_plain = [](const std::vector<Message>& messages) {
    return !messages.empty() && messages.front().role == Role::plain;
  };
  if (!prompt.empty() && is_plain(prompt) != is_plain(completion)) {
    context.fail("completion", is_plain(completion) ? "a string" : "a list of messages", "the same form as prompt");
  }
  if (context.failed()) return record;
  const std::int32_t after = append_chain(record, -1, std::move(prompt));
  record.completions.push_back({after, append_chain(record, after, std::move(completion))});
  return record;
}

bool set_prompted(RowText& row, const Record& record, const Completion& completion) {
  const Form form = form_of(path_to(record, completion.last));
  if (form == Form::mixed) return false;
  row.set("prompt", write_column(prompt_messages(record, completion), form));
  row.set("completion", write_column(completion_messages(record, completion), form));
  return true;
}

std::vector<std::int32_t> answers_to_learn(const Record& record) {
  std::vector<std::int32_t> answers;
  for (const Pair& pair : pairs(record)) {
    if (std::find(answers.begin(), answers.end(), pair.chosen) == answers.end()) answers.push_back(pair.chosen);
  }
  if (!answers.empty()) return answers;
  for (std::size_t i = 0; i < record.completions.size(); ++i) answers.push_back(static_cast<std::int32_t>(i));
  return answers;
}

}  // namespace attune::formats
