#include "attune/text/chat_template.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "attune/base/errors.h"
#include "attune/text/jinja/interpreter.h"
#include "attune/text/jinja/parser.h"
#include "attune/text/tokenizer.h"

namespace attune {

struct ChatTemplate::Compiled {
  std::string file = {};
  jinja::Block block = {};
  bool marks_generation = false;
};

namespace {

constexpr std::array<std::string_view, 3> reasoning_fields = {"reasoning_content", "thinking", "reasoning"};

bool marks_generation(const jinja::Block& block) {
  return std::any_of(block.begin(), block.end(), [](const auto& statement) {
    return statement->kind == jinja::Statement::Kind::generation || marks_generation(statement->body) ||
           marks_generation(statement->otherwise);
  });
}

std::string local_time(const std::string& format) {
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  localtime_r(&now, &local);
  std::string text(format.size() * 4 + 256, '\0');
  text.resize(std::strftime(text.data(), text.size(), format.c_str(), &local));
  return text;
}

// Without null members, and with the reasoning under each of the names that templates read.
Json prepared_message(const Json& message) {
  Json result = Json::object();
  for (const auto& [key, value] : message.members()) {
    if (!value.is_null()) result.set(key, value);
  }
  for (const std::string_view field : reasoning_fields) {
    const Json* reasoning = result.find(field);
    if (!reasoning) continue;
    const Json text = *reasoning;
    if (!result.find("thinking")) result.members().insert(result.members().begin(), {"thinking", text});
    result.set("reasoning_content", text);
    break;
  }
  return result;
}

jinja::Mark mark_of(const Json& message, bool content_is_plain) {
  if (!content_is_plain) return 0;
  const Json* role = message.find("role");
  const bool assistant = role && role->is_string() && role->string() == "assistant";
  return static_cast<jinja::Mark>(assistant ? Origin::assistant : Origin::untrusted);
}

jinja::Value messages_value(const Json& messages, bool content_is_plain) {
  jinja::List list;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Json& message = messages.items()[i];
    if (!message.is_object()) {
      throw DataError({.field = "messages[" + std::to_string(i) + "]"}, std::string(message.type_name()),
                      "an object with a role");
    }
    list.items.push_back(jinja::Value::from_json(prepared_message(message), mark_of(message, content_is_plain)));
  }
  return list;
}

// Merges neighbouring runs that `key` maps to the same value; leaves out those it maps to 0.
template <class Key, class Emit>
void merged_runs(const jinja::Text& text, Key key, Emit emit) {
  std::size_t from = 0, to = 0;
  int current = 0;
  text.runs([&](std::size_t begin, std::size_t end, jinja::Mark mark) {
    const int value = key(mark);
    if (value != current) {
      if (current) emit(from, to, current);
      from = begin;
      current = value;
    }
    to = end;
  });
  if (current) emit(from, to, current);
}

}  // namespace

ChatTemplate ChatTemplate::compile(std::string_view source, const std::string& file) {
  auto compiled = std::make_shared<Compiled>();
  compiled->file = file;
  compiled->block = jinja::parse(source, file);
  compiled->marks_generation = attune::marks_generation(compiled->block);
  ChatTemplate result;
  result.compiled_ = std::move(compiled);
  return result;
}

ChatTemplate ChatTemplate::choose(const std::vector<NamedTemplate>& templates, bool with_tools) {
  const auto named = [&](std::string_view name) {
    return std::find_if(templates.begin(), templates.end(), [&](const NamedTemplate& one) { return one.name == name; });
  };
  auto found = with_tools ? named("tool_use") : templates.end();
  if (found == templates.end()) found = named("default");
  if (found == templates.end()) {
    throw FormatError({}, "no default chat template beside the tokenizer",
                      "chat_template.jinja, or chat_template in tokenizer_config.json", "name a template file");
  }
  return compile(found->text, found->file);
}

bool ChatTemplate::marks_generation() const { return compiled_->marks_generation; }
const std::string& ChatTemplate::file() const { return compiled_->file; }

RenderedConversation ChatTemplate::render(const Conversation& conversation, const SpecialTokens& special,
                                          const RenderOptions& options) const {
  if (!conversation.messages.is_array())
    throw DataError({.field = "messages"}, std::string(conversation.messages.type_name()), "an array");
  if (!conversation.arguments.is_object())
    throw DataError({.field = "chat_template_kwargs"}, std::string(conversation.arguments.type_name()), "an object");
  const auto outside = options.content_is_plain ? static_cast<jinja::Mark>(Origin::untrusted) : jinja::Mark{0};
  jinja::Interpreter interpreter(compiled_->file, {.steps = options.steps, .bytes = options.bytes},
                                 options.strftime_now ? options.strftime_now : local_time);
  const jinja::Value messages = messages_value(conversation.messages, options.content_is_plain);
  interpreter.watch(messages);
  std::vector<std::pair<std::string, jinja::Value>> globals;
  for (const auto& [role, token] : special) globals.emplace_back(role, jinja::Value(token));
  globals.emplace_back("messages", messages);
  globals.emplace_back("tools", jinja::Value::from_json(conversation.tools, outside));
  globals.emplace_back("documents", jinja::Value::from_json(conversation.documents, outside));
  globals.emplace_back("add_generation_prompt", jinja::Value(options.add_generation_prompt));
  for (const auto& [name, value] : conversation.arguments.members())
    globals.emplace_back(name, jinja::Value::from_json(value, outside));
  const jinja::Text text = interpreter.run(compiled_->block, std::move(globals));
  RenderedConversation result;
  result.text = text.view();
  merged_runs(
      text, [](jinja::Mark mark) { return mark & jinja::origin_bits; },
      [&](std::size_t begin, std::size_t end, int origin) {
        result.origins.push_back({begin, end, static_cast<Origin>(origin)});
      });
  merged_runs(
      text, [](jinja::Mark mark) { return mark & jinja::generated_bit; },
      [&](std::size_t begin, std::size_t end, int) {
        result.generated.push_back({begin, end});
      });
  return result;
}

namespace {

// Where each assistant turn lies in `whole`, by rendering the conversation up to it with and without it.
std::vector<ByteSpan> turns_by_rendering(const ChatTemplate& chat_template, const Conversation& conversation,
                                         const SpecialTokens& special, const RenderOptions& options,
                                         const std::string& whole) {
  std::vector<ByteSpan> turns;
  const Json::Array& messages = conversation.messages.items();
  const auto rendered = [&](std::size_t count, bool prompt) {
    Conversation part = conversation;
    part.messages = Json::Array(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(count));
    RenderOptions part_options = options;
    part_options.add_generation_prompt = prompt;
    return chat_template.render(part, special, part_options).text;
  };
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Json* role = messages[i].find("role");
    if (!role || !role->is_string() || role->string() != "assistant") continue;
    const std::string before = rendered(i, true), with = rendered(i + 1, false);
    if (!whole.starts_with(before) || !whole.starts_with(with) || with.size() < before.size()) {
      throw DataError({.file = chat_template.file(), .field = "messages[" + std::to_string(i) + "]"},
                      "a template that writes earlier turns differently once later ones follow",
                      "a template whose text only grows, or {% generation %} blocks",
                      "use the training variant of the template");
    }
    turns.push_back({before.size(), with.size()});
  }
  return turns;
}

// Line ends and blanks behind the token that ends a turn are the template's: nobody must produce them.
void end_at_special_token(const Tokenizer& tokenizer, const Encoding& encoding, std::size_t first,
                          std::vector<std::uint8_t>& mask, std::size_t last) {
  std::size_t end = last;
  while (end > first && !tokenizer.is_special(encoding.ids[end - 1])) {
    const std::string_view bytes = tokenizer.token_bytes(encoding.ids[end - 1]);
    if (bytes.find_first_not_of(" \t\r\n") != bytes.npos) return;
    --end;
  }
  if (end > first)
    std::fill(mask.begin() + static_cast<std::ptrdiff_t>(end), mask.begin() + static_cast<std::ptrdiff_t>(last),
              std::uint8_t{0});
}

}  // namespace

TokenizedConversation render_and_tokenize(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                          const Conversation& conversation, const RenderOptions& options) {
  RenderedConversation rendered = chat_template.render(conversation, tokenizer.special_tokens(), options);
  const bool marked = chat_template.marks_generation();
  const std::vector<ByteSpan> turns =
      marked ? std::move(rendered.generated)
             : turns_by_rendering(chat_template, conversation, tokenizer.special_tokens(), options, rendered.text);
  Encoding encoding = tokenizer.encode_with_offsets(rendered.text, {.origins = rendered.origins});
  TokenizedConversation result;
  result.mask.assign(encoding.ids.size(), 0);
  std::size_t token = 0;
  for (const ByteSpan& turn : turns) {
    while (token < encoding.ids.size() && encoding.spans[token].end <= turn.begin) ++token;
    const std::size_t first = token;
    for (; token < encoding.ids.size() && encoding.spans[token].begin < turn.end; ++token) result.mask[token] = 1;
    if (!marked) end_at_special_token(tokenizer, encoding, first, result.mask, token);
    if (token > first) --token;  // a token may hold the end of one turn and the beginning of the next
  }
  result.text = std::move(rendered.text);
  result.ids = std::move(encoding.ids);
  return result;
}

}  // namespace attune
