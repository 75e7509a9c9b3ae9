// `attune tokenize`: texts or conversations to ids, and ids to text, one row each. Needs no libtorch.
#include <algorithm>
#include <functional>

#include "attune/base/errors.h"
#include "attune/cli/answer.h"
#include "attune/cli/verbs.h"
#include "attune/data/rows.h"
#include "attune/text/chat_template.h"
#include "attune/text/tokenizer.h"

namespace attune {
namespace {

struct Row {
  std::string text = {};  // as it stands in the file
  Where where = {};
  bool plain = false;  // of a file that is not JSON by its name: a line that is no JSON is a text itself
};

using Handle = std::function<void(const Row&)>;

bool json_by_name(const std::string& path) {
  std::string name = path;
  for (const char* packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) name.resize(name.size() - std::string_view(packed).size());
  }
  return name.ends_with(".json") || name.ends_with(".jsonl");
}

// Lines as they stand, empty ones included.
void each_line(const std::string& path, const Handle& handle) {
  const auto stream = open_bytes(path);
  const std::string file = path == "-" ? "standard input" : path;
  std::string buffer, block(std::size_t{1} << 16, '\0');
  std::int64_t line = 0;
  for (;;) {
    const std::size_t size = stream->read(block);
    buffer.append(block, 0, size);
    std::size_t begin = 0;
    for (std::size_t end = buffer.find('\n'); end != buffer.npos; end = buffer.find('\n', begin)) {
      const bool carriage = end > begin && buffer[end - 1] == '\r';
      handle({buffer.substr(begin, end - begin - (carriage ? 1 : 0)), {.file = file, .line = ++line}, true});
      begin = end + 1;
    }
    buffer.erase(0, begin);
    if (buffer.size() > ReadLimits().row_bytes)
      throw DataError({.file = file, .line = line + 1}, "a line of more than 64 MiB", "shorter lines");
    if (size == 0) break;
  }
  if (!buffer.empty()) handle({buffer, {.file = file, .line = line + 1}, true});
}

void each_json_row(const std::string& path, const Handle& handle) {
  RowReader reader = open_rows(path);
  for (RawRow raw; reader.next(raw);) {
    const Where where = {.file = path, .line = raw.line};
    if (!raw.problem.empty()) throw DataError(where, raw.problem, raw.expected);
    handle({std::string(raw.text), where, false});
  }
}

void each_row(const std::string& path, const Handle& handle) {
  try {
    json_by_name(path) ? each_json_row(path, handle) : each_line(path, handle);
  } catch (const DamagedStream& damage) {
    throw DataError({.file = path, .offset = damage.offset}, damage.found, damage.expected);
  }
}

Json parsed(const Row& row) {
  try {
    return Json::parse(row.text);
  } catch (const JsonSyntaxError& error) {
    throw DataError(row.where, "no JSON (" + error.reason + ")", "one JSON value");
  }
}

[[noreturn]] void wrong_field(const Row& row, const std::string& field, const Json* value,
                              const std::string& expected) {
  Where where = row.where;
  where.field = field;
  throw DataError(std::move(where), value ? std::string(value->type_name()) : "nothing", expected);
}

// The row's field, the row itself when it is a JSON string, or the line.
std::string text_of(const Row& row, const std::string& field) {
  const std::size_t first = row.text.find_first_not_of(" \t");
  if (row.plain && (first == row.text.npos || (row.text[first] != '{' && row.text[first] != '"'))) return row.text;
  const Json value = parsed(row);
  if (value.is_string()) return value.string();
  const Json* text = value.find(field);
  if (!text || !text->is_string()) wrong_field(row, field, text, "a string");
  return text->string();
}

std::vector<std::int32_t> ids_of(const Row& row, const std::string& field) {
  const Json value = parsed(row);
  const Json* list = value.is_array() ? &value : value.find(field);
  if (!list || !list->is_array()) wrong_field(row, field, list, "an array of ids");
  std::vector<std::int32_t> ids;
  for (const Json& id : list->items()) {
    if (!id.is_integer() || id.integer() < 0 || id.integer() > INT32_MAX)
      wrong_field(row, field + "[" + std::to_string(ids.size()) + "]", &id, "an id");
    ids.push_back(static_cast<std::int32_t>(id.integer()));
  }
  return ids;
}

Conversation conversation_of(const Row& row) {
  const Json value = parsed(row);
  Conversation conversation;
  const Json* messages = value.find("messages");
  if (!messages || !messages->is_array()) wrong_field(row, "messages", messages, "an array of messages");
  conversation.messages = *messages;
  if (const Json* tools = value.find("tools")) {  // some data sets keep the list as JSON text
    Row text = {tools->is_string() ? tools->string() : std::string(), row.where};
    text.where.field = "tools";
    conversation.tools = tools->is_string() ? parsed(text) : *tools;
  }
  if (const Json* documents = value.find("documents")) conversation.documents = *documents;
  if (const Json* kwargs = value.find("chat_template_kwargs"); kwargs && !kwargs->is_null())
    conversation.arguments = *kwargs;
  return conversation;
}

template <class Integer>
Json json_of(const std::vector<Integer>& values) {
  Json::Array list;
  list.reserve(values.size());
  for (const Integer value : values) list.emplace_back(static_cast<std::int64_t>(value));
  return list;
}

struct Options {
  std::string path = {};
  std::string field = {};
  bool as_transformers = false;  // --special auto
  bool decode = false, messages = false, generation_prompt = false;
  std::optional<std::string> template_file = {}, out = {};
};

Options read_options(Arguments& arguments) {
  Options options;
  const std::string special = arguments.option("--special").value_or("none");
  if (special != "none" && special != "auto") arguments.fail("--special " + special, "none or auto");
  options.as_transformers = special == "auto";
  options.decode = arguments.flag("--decode");
  options.generation_prompt = arguments.flag("--generation-prompt");
  options.template_file = arguments.option("--template");
  options.out = arguments.option("--out");
  const auto messages = arguments.option("--messages");
  options.messages = messages.has_value();
  if (options.messages && options.decode) arguments.fail("--messages with --decode", "one of them");
  if (!options.messages && (options.template_file || options.generation_prompt)) {
    arguments.fail("--template or --generation-prompt without --messages", "--messages PATH");
  }
  options.field = arguments.option("--field").value_or(options.decode ? "ids" : "text");
  const auto words = arguments.rest(0, options.messages ? 0 : 1, "[PATH]");
  options.path = messages ? *messages : words.empty() ? "-" : words[0];
  return options;
}

Json tokenized_row(const Tokenizer& tokenizer, const Row& row, const Options& options) {
  if (options.decode)
    return Json::object({{"text", tokenizer.decode(ids_of(row, options.field), options.as_transformers)}});
  EncodeOptions encoding;
  encoding.spellings = options.as_transformers ? Spellings::all : Spellings::none;
  encoding.add_special_tokens = options.as_transformers;
  return Json::object({{"ids", json_of(tokenizer.encode(text_of(row, options.field), encoding))}});
}

Json conversation_row(const Tokenizer& tokenizer, const ChatTemplate& chat_template, const Row& row,
                      const Options& options) {
  RenderOptions rendering;
  rendering.add_generation_prompt = options.generation_prompt;
  rendering.content_is_plain = !options.as_transformers;
  try {
    const TokenizedConversation one = render_and_tokenize(tokenizer, chat_template, conversation_of(row), rendering);
    return Json::object({{"text", one.text}, {"ids", json_of(one.ids)}, {"mask", json_of(one.mask)}});
  } catch (const DataError& error) {  // says which row the conversation is
    Problem problem = error.problem();
    problem.where.file = row.where.file;
    problem.where.line = row.where.line;
    throw DataError(std::move(problem));
  }
}

}  // namespace

int run_tokenize(Arguments& arguments) {
  const std::string folder = arguments.required("--tokenizer");
  const Options options = read_options(arguments);
  const Tokenizer tokenizer = Tokenizer::load(folder);
  Answer answer(options.out);
  if (options.messages) {
    std::optional<ChatTemplate> with_tools, without;  // models may have one template for each
    if (options.template_file)
      without = ChatTemplate::compile(read_file(*options.template_file), *options.template_file);
    each_row(options.path, [&](const Row& row) {
      if (row.text.find_first_not_of(" \t\r") == row.text.npos) return;
      const bool tools = !options.template_file && !conversation_of(row).tools.is_null();
      std::optional<ChatTemplate>& chosen = tools ? with_tools : without;
      if (!chosen) chosen = ChatTemplate::choose(tokenizer.chat_templates(), tools);
      answer.row(conversation_row(tokenizer, *chosen, row, options));
    });
  } else {
    each_row(options.path, [&](const Row& row) { answer.row(tokenized_row(tokenizer, row, options)); });
  }
  answer.finish();
  return 0;
}

}  // namespace attune
