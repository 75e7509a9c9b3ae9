#include "attune/data/formats/messages.h"

#include <algorithm>
#include <array>
#include <set>

namespace attune::formats {
namespace {

// ShareGPT's names for the speakers; the first of each role is the canonical one.
constexpr std::array<std::pair<std::string_view, Role>, 10> sharegpt_names = {{{"system", Role::system},
                                                                               {"human", Role::user},
                                                                               {"gpt", Role::assistant},
                                                                               {"tool", Role::tool},
                                                                               {"user", Role::user},
                                                                               {"assistant", Role::assistant},
                                                                               {"chatgpt", Role::assistant},
                                                                               {"bot", Role::assistant},
                                                                               {"model", Role::assistant},
                                                                               {"observation", Role::tool}}};

std::string_view speaker(Role role, Dialect dialect) {
  if (dialect == Dialect::openai) return name(role);
  for (const auto& [text, known] : sharegpt_names) {
    if (known == role) return text;
  }
  return name(role);
}

std::optional<Role> role_of(std::string_view text, Dialect dialect) {
  if (dialect == Dialect::openai) {
    const auto role = role_named(text);
    return role == Role::plain ? std::nullopt : role;
  }
  for (const auto& [known, role] : sharegpt_names) {
    if (known == text) return role;
  }
  return std::nullopt;
}

// Text content: a string, null, or a list of {"type": "text", "text": ...} and of {"type": "image"}, which stands for
// the next image of the column `images` or names its own.
void read_content(const Json& value, const std::string& field, Message& message, RowContext& context) {
  if (value.is_string()) {
    message.content.push_back({.text = value.string()});
  } else if (value.is_array()) {
    message.content_as_list = true;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Json* type = value.items()[i].find("type");
      const Json* text = value.items()[i].find("text");
      if (type != nullptr && (*type == Json("image") || *type == Json("image_url"))) {
        message.content.push_back({.kind = Content::Kind::image});
        continue;
      }
      if (type == nullptr || *type != Json("text") || text == nullptr || !text->is_string()) {
        context.fail(field + '[' + std::to_string(i) + ']', "content that is neither text nor an image",
                     "{\"type\": \"text\", \"text\": ...} or {\"type\": \"image\"}");
        continue;
      }
      message.content.push_back({.text = text->string()});
    }
  } else if (!value.is_null()) {
    context.fail_type(field, value, "a string or a list of parts");
  }
}

Json content_json(const Message& message) {
  if (!message.content_as_list) return text_of(message);
  Json list = Json::array();
  for (const Content& part : message.content) {
    const bool image = part.kind == Content::Kind::image;
    list.push_back(image ? Json::object({{"type", "image"}}) : Json::object({{"type", "text"}, {"text", part.text}}));
  }
  return list;
}

void read_calls(const Json& value, const std::string& field, Message& message, RowContext& context) {
  if (value.is_null()) return;
  if (!value.is_array()) return context.fail_type(field, value, "a list of tool calls");
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Json& item = value.items()[i];
    const Json* inner = item.find("function");
    const Json& call = inner != nullptr ? *inner : item;
    const Json* name = call.find("name");
    const Json* arguments = call.find("arguments");
    if (name == nullptr || !name->is_string()) {
      context.fail(field + '[' + std::to_string(i) + "].name",
                   name == nullptr ? "no name" : std::string(name->type_name()), "the name of a function");
      continue;
    }
    const Json* id = item.find("id");
    message.calls.push_back({.id = id != nullptr && id->is_string() ? id->string() : "",
                             .name = name->string(),
                             .arguments_json = arguments != nullptr ? arguments->str() : ""});
  }
}

Json calls_json(const Message& message) {
  Json list = Json::array();
  for (const ToolCall& call : message.calls) {
    Json function = Json::object({{"name", call.name}});
    if (!call.arguments_json.empty()) function.set("arguments", Json::parse(call.arguments_json));
    Json item = Json::object();
    if (!call.id.empty()) item.set("id", call.id);
    item.set("type", "function");
    item.set("function", std::move(function));
    list.push_back(std::move(item));
  }
  return list;
}

// The known members of a message, in their usual order.
Json canonical(const Message& message, Dialect dialect) {
  const bool openai = dialect == Dialect::openai;
  Json json = Json::object({{openai ? "role" : "from", speaker(message.role, dialect)}});
  if (!message.name.empty()) json.set("name", message.name);
  if (!message.content.empty() || message.content_as_list)
    json.set(openai ? "content" : "value", content_json(message));
  if (!message.calls.empty()) json.set("tool_calls", calls_json(message));
  if (!message.answers_call.empty()) json.set("tool_call_id", message.answers_call);
  if (message.train) json.set("train", *message.train);
  return json;
}

void read_known(const Json& json, const std::string& field, Dialect dialect, Message& message, RowContext& context) {
  const char* who = dialect == Dialect::openai ? "role" : "from";
  const char* what = dialect == Dialect::openai ? "content" : "value";
  const Json* role = json.find(who);
  if (role == nullptr) {
    context.fail(field + '.' + who, "no such member", "who speaks");
  } else if (!role->is_string()) {
    context.fail_type(field + '.' + who, *role, "a string");
  } else if (const auto known = role_of(role->string(), dialect)) {
    message.role = *known;
  } else {
    context.fail(
        field + '.' + who, "an unknown role",
        dialect == Dialect::openai ? "system, developer, user, assistant or tool" : "system, human, gpt or tool");
  }
  const Json* calls = json.find("tool_calls");
  if (calls != nullptr) read_calls(*calls, field + ".tool_calls", message, context);
  const Json* content = json.find(what);
  if (content != nullptr) read_content(*content, field + '.' + what, message, context);
  if ((content == nullptr || content->is_null()) && message.calls.empty()) {
    context.fail(field + '.' + what, content == nullptr ? "no such member" : "null", "a string");
  }
  const auto text = [&](const char* key) {
    const Json* value = json.find(key);
    return value != nullptr && value->is_string() ? value->string() : std::string();
  };
  message.name = text("name");
  message.answers_call = text("tool_call_id");
  if (const Json* train = json.find("train"); train != nullptr && train->is_bool()) message.train = train->boolean();
}

Message read_message(const Json& json, std::string_view raw, const std::string& field, RowContext& context,
                     Dialect dialect) {
  Message message;
  if (!json.is_object()) {
    context.fail_type(field, json, "a message: an object with role and content");
    return message;
  }
  std::set<std::string_view> keys;
  for (const auto& [key, value] : json.members()) {
    if (!keys.insert(key).second) context.fail(field + '.' + key, "the same member twice", "each member once");
  }
  read_known(json, field, dialect, message, context);
  if (context.failed()) return message;
  const Json known = canonical(message, dialect);
  if (known == json) return message;  // the usual case, without a look at the bytes
  RawObject extra;
  for (const RawMember& member : raw_members(raw)) {
    const Json* as_written = known.find(member.key);
    if (as_written == nullptr || *as_written != *json.find(member.key)) extra.add(member.key, member.value);
  }
  if (!extra.empty()) message.extra_json = extra.str();
  return message;
}

std::string write_message(const Message& message, Dialect dialect) {
  const Json known = canonical(message, dialect);
  if (message.extra_json.empty()) return known.str();
  RawObject text;
  const auto extra = raw_members(message.extra_json);
  const auto in_extra = [&](std::string_view key) {
    return std::any_of(extra.begin(), extra.end(), [&](const RawMember& member) { return member.key == key; });
  };
  for (const auto& [key, value] : known.members()) {
    if (!in_extra(key)) text.add(key, value.str());
  }
  return text.add_all(message.extra_json).str();
}

bool is_blank(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return std::string_view(" \t\r\n\v\f").find(c) != std::string_view::npos; });
}

}  // namespace

std::vector<Message> read_messages(const Json& list, std::string_view raw, const std::string& field,
                                   RowContext& context, Dialect dialect) {
  std::vector<Message> messages;
  if (!list.is_array()) {
    context.fail_type(field, list, "a list of messages");
    return messages;
  }
  const auto raws = raw_items(raw);
  for (std::size_t i = 0; i < list.size(); ++i) {
    messages.push_back(read_message(list.items()[i], i < raws.size() ? raws[i] : std::string_view(),
                                    field + '[' + std::to_string(i) + ']', context, dialect));
    if (i > 0 && messages[i].role == Role::user && messages[i - 1].role == Role::user) {
      context.note("two user turns in a row");
    }
  }
  return messages;
}

std::string write_messages(const std::vector<const Message*>& messages, Dialect dialect) {
  std::string text = "[";
  for (const Message* message : messages) {
    if (text.size() > 1) text += ',';
    text += write_message(*message, dialect);
  }
  return text + "]";
}

bool is_conversation(const Json* value) {
  return value != nullptr && value->is_array() && value->size() > 0 && value->items().front().find("role") != nullptr;
}

Message plain_message(std::string text) {
  Message message = {.role = Role::plain};
  message.content.emplace_back().text = std::move(text);
  return message;
}

std::int32_t append_chain(Record& record, std::int32_t parent, std::vector<Message> messages) {
  record.nodes.reserve(record.nodes.size() + messages.size());
  for (Message& message : messages) {
    record.nodes.push_back({.parent = parent, .message = std::move(message)});
    parent = static_cast<std::int32_t>(record.nodes.size()) - 1;
  }
  return parent;
}

void check_answer(const std::vector<Message>& answer, const std::string& field, RowContext& context) {
  if (answer.empty()) return context.fail(field, "an empty list of messages", "an answer");
  const Message& last = answer.back();
  if (last.role != Role::plain && last.role != Role::assistant) {
    return context.fail(field + '[' + std::to_string(answer.size() - 1) + "].role",
                        "a last message that is not the assistant's", "assistant");
  }
  if (!last.calls.empty()) return;
  const std::string text = text_of(last);
  if (text.empty()) return context.fail(field, "an empty answer", "text");
  if (is_blank(text)) context.fail(field, "an answer of blanks only", "text");
}

Form form_of(const std::vector<const Message*>& messages) {
  std::size_t plain = 0;
  for (const Message* message : messages) plain += message->role == Role::plain ? 1 : 0;
  if (plain == messages.size()) return Form::plain;
  return plain == 0 ? Form::conversation : Form::mixed;
}

std::string write_column(const std::vector<const Message*>& messages, Form form) {
  if (form == Form::conversation) return write_messages(messages);
  std::string text;
  for (const Message* message : messages) text += text_of(*message);
  return json_quote(text);
}

}  // namespace attune::formats
