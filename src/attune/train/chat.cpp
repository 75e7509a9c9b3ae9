#include "attune/train/chat.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/data/formats/messages.h"
#include "attune/text/chat_template.h"

namespace attune {

// The templates of one tokenizer (or file), compiled once: for conversations with tools and without.
struct ChatTemplates {
  std::optional<ChatTemplate> plain, with_tools;
  const ChatTemplate& for_record(const Record& record) const {
    return !record.tools_json.empty() && with_tools ? *with_tools : *plain;
  }
};

namespace {

// nullptr when there is none: `file` is empty and the tokenizer brings none.
std::unique_ptr<const ChatTemplates> load_templates(const std::string& file, const Tokenizer& tokenizer) {
  ChatTemplates templates;
  if (!file.empty()) {
    templates.plain = ChatTemplate::compile(read_file(file), file);
  } else {
    if (tokenizer.chat_templates().empty()) return nullptr;
    templates.plain = ChatTemplate::choose(tokenizer.chat_templates(), false);
    templates.with_tools = ChatTemplate::choose(tokenizer.chat_templates(), true);
  }
  return std::make_unique<const ChatTemplates>(std::move(templates));
}

Json parse_all(const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  Json list = Json::array();
  for (const auto& text : texts) list.push_back(Json::parse(text));
  return list;
}

std::string number_text(double value) {
  return value == std::floor(value) ? std::to_string(static_cast<std::int64_t>(value)) : format_double(value);
}

// What people said of each message in numbers, as SteerLM writes it: "helpfulness:4,verbosity:1". A completion's
// ratings belong to its last message. Thumbs are no attribute.
std::map<const Message*, std::string> attribute_texts(const Record& record) {
  std::map<const Message*, std::string> texts;
  for (const Feedback& feedback : record.feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    if (rating == nullptr || rating->attribute == "thumb") continue;
    const std::int32_t node = feedback.on.completion >= 0
                                  ? record.completions[static_cast<std::size_t>(feedback.on.completion)].last
                                  : feedback.on.node;
    if (node < 0) continue;
    std::string& text = texts[&record.nodes[static_cast<std::size_t>(node)].message];
    text += (text.empty() ? "" : ",") + rating->attribute + ":" + number_text(rating->value);
  }
  return texts;
}

Conversation conversation_of(const Record& record, const std::vector<const Message*>& messages) {
  Conversation conversation;
  conversation.messages = Json::parse(formats::write_messages(messages));
  const auto attributes = attribute_texts(record);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto found = attributes.find(messages[i]);
    if (found != attributes.end()) conversation.messages.items()[i].set("label", found->second);
  }
  conversation.tools = parse_all(record.tools_json);
  if (!record.documents.empty()) {
    conversation.documents = Json::array();
    for (const auto& text : record.documents) conversation.documents.push_back(Json::object({{"text", text}}));
  }
  return conversation;
}

std::vector<std::int32_t> prompt_ids(const Record& record, const std::vector<const Message*>& messages,
                                     const ChatTemplates& templates, const Tokenizer& tokenizer,
                                     const std::string& attributes = {}) {
  const bool asks = messages.empty() || messages.back()->role != Role::assistant;
  Conversation conversation = conversation_of(record, messages);
  if (!attributes.empty()) conversation.arguments.set("label", attributes);
  return render_and_tokenize(tokenizer, templates.for_record(record), conversation, {.add_generation_prompt = asks})
      .ids;
}

ChatTokens encode_chat(const Record& record, const Completion& completion, const ChatTemplates& templates,
                       const Tokenizer& tokenizer) {
  const auto prompt = prompt_messages(record, completion);
  std::vector<const Message*> all = prompt;
  const auto answer = completion_messages(record, completion);
  all.insert(all.end(), answer.begin(), answer.end());
  TokenizedConversation tokens =
      render_and_tokenize(tokenizer, templates.for_record(record), conversation_of(record, all));
  // Earlier turns of the assistant are given, not learned.
  const bool answered_before = std::any_of(prompt.begin(), prompt.end(),
                                           [](const Message* message) { return message->role == Role::assistant; });
  if (answered_before) {
    const auto given = prompt_ids(record, prompt, templates, tokenizer);
    const auto common = std::min(given.size(), tokens.ids.size());
    const auto end =
        std::mismatch(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(common), tokens.ids.begin());
    std::fill(tokens.mask.begin(), tokens.mask.begin() + (end.second - tokens.ids.begin()), 0);
  }
  return {std::move(tokens.ids), std::move(tokens.mask)};
}

}  // namespace

ChatEncoder chat_encoder(const std::string& file, const Tokenizer& tokenizer) {
  std::shared_ptr<const ChatTemplates> templates = load_templates(file, tokenizer);
  if (!templates) return {};
  return [templates = std::move(templates), &tokenizer](const Record& record, const Completion& completion) {
    return encode_chat(record, completion, *templates, tokenizer);
  };
}

TextInterface text_interface(const Tokenizer& tokenizer) {
  TextInterface text{.stop_ids = tokenizer.stop_ids(),
                     .decode = [&tokenizer](std::span<const std::int32_t> ids) { return tokenizer.decode(ids, true); }};
  if (const auto eos = tokenizer.eos(); eos && text.stop_ids.empty()) text.stop_ids.push_back(*eos);
  return text;
}

PromptEncoder::PromptEncoder(const std::string& template_file, const Tokenizer& tokenizer, std::string attributes)
    : tokenizer_(tokenizer), attributes_(std::move(attributes)), templates_(load_templates(template_file, tokenizer)) {}

PromptEncoder::~PromptEncoder() = default;

std::vector<std::int32_t> PromptEncoder::operator()(const Record& record) const {
  std::vector<const Message*> messages;
  if (!record.completions.empty()) {
    messages = prompt_messages(record, record.completions.front());
  } else if (!record.nodes.empty()) {
    messages = path_to(record, static_cast<std::int32_t>(record.nodes.size()) - 1);
  }
  const bool plain = std::all_of(messages.begin(), messages.end(),
                                 [](const Message* message) { return message->role == Role::plain; });
  if (plain) {
    std::string text;
    for (const Message* message : messages) text += text_of(*message);
    return tokenizer_.encode(text, {.add_special_tokens = true});
  }
  if (!templates_) {
    throw ConfigError({.field = "chat_template"}, "conversations and no chat template",
                      "a tokenizer that has one, or a template file");
  }
  return prompt_ids(record, messages, *templates_, tokenizer_, attributes_);
}

}  // namespace attune
