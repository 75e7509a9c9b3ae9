#include <algorithm>
#include <map>

#include "attune/data/native.h"

namespace attune {
namespace {

std::string_view name(Content::Kind kind) {
  switch (kind) {
    case Content::Kind::text:
      return "text";
    case Content::Kind::thinking:
      return "thinking";
    case Content::Kind::image:
      return "image";
    case Content::Kind::audio:
      return "audio";
    case Content::Kind::video:
      return "video";
    case Content::Kind::document:
      return "document";
    case Content::Kind::tool_result:
      return "tool_result";
  }
  return {};
}

void set_text(Json& object, std::string_view key, const std::string& value) {
  if (!value.empty()) object.set(key, value);
}
void set_index(Json& object, std::string_view key, std::int64_t value) {
  if (value >= 0) object.set(key, value);
}
template <class Value>
void set_optional(Json& object, std::string_view key, const std::optional<Value>& value) {
  if (value) object.set(key, *value);
}
void set_texts(Json& object, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  Json list = Json::array();
  for (const std::string& value : values) list.push_back(value);
  object.set(key, std::move(list));
}

Json to_json(const Target& target) {
  Json json = Json::object();
  set_index(json, "completion", target.completion);
  set_index(json, "node", target.node);
  set_index(json, "step", target.step);
  set_index(json, "begin", target.begin);
  set_index(json, "end", target.end);
  return json;
}

Json to_json(const std::vector<Target>& targets) {
  Json list = Json::array();
  for (const Target& target : targets) list.push_back(to_json(target));
  return list;
}

Json to_json(const Content& part) {
  Json json = Json::object({{"type", name(part.kind)}});
  set_text(json, "text", part.text);
  set_text(json, "uri", part.media.uri);
  set_text(json, "media_type", part.media.type);
  set_text(json, "sha256", part.media.sha256);
  return json;
}

// A single text part is one string; content_as_list says that its source wrote a list.
Json content_json(const Message& message) {
  const auto is_plain = [](const Content& part) { return part.kind == Content::Kind::text && part.media == Media{}; };
  if (message.content.size() == 1 && is_plain(message.content.front())) return message.content.front().text;
  Json list = Json::array();
  for (const Content& part : message.content) list.push_back(to_json(part));
  return list;
}

std::string to_native(const Node& node, std::size_t index) {
  const Message& message = node.message;
  Json json = Json::object();
  if (node.parent != static_cast<std::int64_t>(index) - 1) json.set("parent", std::int64_t{node.parent});
  json.set("role", attune::name(message.role));
  set_text(json, "name", message.name);
  json.set("content", content_json(message));
  if (!message.calls.empty()) {
    Json calls = Json::array();
    for (const ToolCall& call : message.calls) {
      Json item = Json::object();
      set_text(item, "id", call.id);
      set_text(item, "name", call.name);
      set_text(item, "arguments", call.arguments_json);
      calls.push_back(std::move(item));
    }
    json.set("calls", std::move(calls));
  }
  set_text(json, "answers_call", message.answers_call);
  set_optional(json, "train", message.train);
  if (message.content_as_list) json.set("content_as_list", true);
  set_index(json, "source", node.source);
  RawObject text;
  text.add_all(json.str());
  if (!message.extra_json.empty()) text.add("extra", message.extra_json);
  return text.str();
}

struct JudgementWriter {
  Json::Member operator()(const Comparison& what) const {
    Json json = Json::object({{"a", to_json(what.a)}, {"b", to_json(what.b)}, {"outcome", attune::name(what.outcome)}});
    set_optional(json, "strength", what.strength);
    return {"comparison", std::move(json)};
  }
  Json::Member operator()(const Ranking& what) const {
    Json tiers = Json::array();
    for (const auto& tier : what.tiers) tiers.push_back(to_json(tier));
    Json json = Json::object({{"tiers", std::move(tiers)}});
    if (what.partial) json.set("partial", true);
    return {"ranking", std::move(json)};
  }
  Json::Member operator()(const Rating& what) const {
    Json json = Json::object({{"attribute", what.attribute}, {"value", what.value}});
    set_index(json, "scale", what.scale);
    return {"rating", std::move(json)};
  }
  Json::Member operator()(const Votes& what) const {
    Json shares = Json::array();
    for (const double share : what.share) shares.push_back(share);
    return {"votes", Json::object({{"options", to_json(what.options)}, {"share", std::move(shares)}})};
  }
  Json::Member operator()(const Label& what) const {
    return {"label", Json::object({{"name", what.name}, {"value", what.value}})};
  }
  Json::Member operator()(const Critique& what) const { return {"critique", what.text}; }
  Json::Member operator()(const Edit& what) const { return {"edit", what.after}; }
  Json::Member operator()(const Signal& what) const {
    return {"signal", Json::object({{"kind", what.kind}, {"value", what.value}})};
  }
};

std::string to_native(const Feedback& feedback) {
  Json json = Json::object({std::visit(JudgementWriter(), feedback.what)});
  if (feedback.on != Target{}) json.set("on", to_json(feedback.on));
  set_index(json, "annotator", feedback.annotator);
  set_index(json, "rubric", feedback.rubric);
  set_index(json, "supersedes", feedback.supersedes);
  if (!feedback.shown.empty()) {
    Json shown = Json::array();
    for (const std::int32_t completion : feedback.shown) shown.push_back(std::int64_t{completion});
    json.set("shown", std::move(shown));
  }
  set_text(json, "why", feedback.why);
  set_optional(json, "time_us", feedback.time_us);
  set_optional(json, "seconds", feedback.seconds);
  set_optional(json, "confidence", feedback.confidence);
  if (feedback.weight != 1) json.set("weight", feedback.weight);
  RawObject text;
  text.add_all(json.str());
  if (!feedback.extra_json.empty()) text.add("extra", feedback.extra_json);
  return text.str();
}

std::string joined(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) {
    if (text.size() > 1) text += ',';
    text += item;
  }
  return text + "]";
}

template <class Items>
Json list_of(const Items& items) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(to_json(item));
  return list;
}

}  // namespace

Json to_json(const Annotator& annotator) {
  Json json = Json::object({{"id", annotator.id}, {"kind", name(annotator.kind)}});
  if (!annotator.traits.empty()) {
    Json traits = Json::object();
    for (const auto& [key, value] : annotator.traits) traits.members().emplace_back(key, value);
    json.set("traits", std::move(traits));
  }
  return json;
}

Json to_json(const Scale& scale) {
  Json json = Json::object({{"name", scale.name}});
  set_optional(json, "low", scale.low);
  set_optional(json, "high", scale.high);
  set_texts(json, "words", scale.words);
  return json;
}

Json to_json(const Rubric& rubric) {
  Json json = Json::object({{"name", rubric.name}});
  set_text(json, "text", rubric.text);
  return json;
}

Json to_json(const Source& source) {
  Json json = Json::object({{"path", source.path}, {"format", source.format}});
  set_text(json, "layout", source.layout);
  set_text(json, "licence", source.licence);
  set_text(json, "hash", source.hash);
  set_texts(json, "chain", source.chain);
  return json;
}

std::string native_header(const Dataset& dataset) {
  Json json = Json::object({{"attune", "dataset"}});
  json.set("annotators", list_of(dataset.annotators));
  json.set("scales", list_of(dataset.scales));
  json.set("rubrics", list_of(dataset.rubrics));
  json.set("sources", list_of(dataset.sources));
  return json.str();
}

std::string to_native(const Record& record) {
  RawObject row;
  if (!record.id.empty()) row.add("id", json_quote(record.id));
  std::vector<std::string> items;
  for (std::size_t i = 0; i < record.nodes.size(); ++i) items.push_back(to_native(record.nodes[i], i));
  row.add("nodes", joined(items));
  items.clear();
  for (const Completion& completion : record.completions) {
    items.push_back("{\"after\":" + std::to_string(completion.after) + ",\"last\":" + std::to_string(completion.last) +
                    "}");
  }
  row.add("completions", joined(items));
  items.clear();
  for (const Feedback& feedback : record.feedback) items.push_back(to_native(feedback));
  if (!items.empty()) row.add("feedback", joined(items));
  if (!record.context.empty()) row.add("context", json_quote(record.context));
  if (!record.answer.empty()) row.add("answer", json_quote(record.answer));
  items.clear();
  for (const std::string& document : record.documents) items.push_back(json_quote(document));
  if (!items.empty()) row.add("documents", joined(items));
  if (!record.tools_json.empty()) row.add("tools", joined(record.tools_json));
  if (!record.extra_json.empty()) row.add("extra", record.extra_json);
  return row.str();
}

}  // namespace attune
