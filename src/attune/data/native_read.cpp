#include <array>

#include "attune/data/native.h"
#include "attune/data/object_reader.h"

namespace attune {
namespace {

constexpr std::array<std::pair<std::string_view, Content::Kind>, 7> content_kinds = {
    {{"text", Content::Kind::text},
     {"thinking", Content::Kind::thinking},
     {"image", Content::Kind::image},
     {"audio", Content::Kind::audio},
     {"video", Content::Kind::video},
     {"document", Content::Kind::document},
     {"tool_result", Content::Kind::tool_result}}};

Content read_part(const Json& json, const std::string& path, RowContext& context) {
  ObjectReader reader(json, path, context);
  Content part;
  const std::string type = reader.text("type");
  bool known = false;
  for (const auto& [name, kind] : content_kinds) {
    if (name != type) continue;
    part.kind = kind;
    known = true;
  }
  if (!known) context.fail(reader.path("type"), "an unknown kind of content", "text, thinking, image, ...");
  part.text = reader.text("text");
  part.media = {reader.text("uri"), reader.text("media_type"), reader.text("sha256")};
  reader.refuse_the_rest();
  return part;
}

std::vector<Content> read_content(ObjectReader& reader) {
  const Json* value = reader.member("content");
  if (value == nullptr) return {};
  if (value->is_string()) return {Content{.text = value->string()}};
  std::vector<Content> parts;
  const Json::Array& items = reader.list("content");
  for (std::size_t i = 0; i < items.size(); ++i) {
    parts.push_back(read_part(items[i], reader.path("content", i), reader.context()));
  }
  return parts;
}

std::vector<ToolCall> read_calls(ObjectReader& reader) {
  std::vector<ToolCall> calls;
  const Json::Array& items = reader.list("calls");
  for (std::size_t i = 0; i < items.size(); ++i) {
    ObjectReader call(items[i], reader.path("calls", i), reader.context());
    calls.push_back({call.text("id"), call.text("name"), call.text("arguments")});
    call.refuse_the_rest();
  }
  return calls;
}

// An entry of one of the header's tables, which number from 0 in each file; its index in the data set, -1 when absent.
template <class Item>
std::int32_t read_entry(ObjectReader& reader, std::string_view key, const std::vector<Item>& table,
                        std::int32_t (DatasetBuilder::*enter)(const Item&)) {
  const std::int32_t index = reader.index(key);
  if (index < 0) return -1;
  if (index < std::ssize(table)) return (reader.context().builder().*enter)(table[index]);
  reader.context().fail(reader.path(key), std::to_string(index) + ", which the header row lacks",
                        "an index below " + std::to_string(table.size()));
  return -1;
}

Node read_node(const Json& json, std::string_view raw, std::size_t index, RowContext& context) {
  ObjectReader reader(json, "nodes[" + std::to_string(index) + "]", context);
  Node node;
  node.parent = reader.member("parent") != nullptr ? reader.index("parent") : static_cast<std::int32_t>(index) - 1;
  const std::string role = reader.text("role");
  if (const auto known = role_named(role)) {
    node.message.role = *known;
  } else {
    context.fail(reader.path("role"), role.empty() ? "no role" : "an unknown role",
                 "plain, system, developer, user, assistant or tool");
  }
  node.message.name = reader.text("name");
  node.message.content = read_content(reader);
  node.message.calls = read_calls(reader);
  node.message.answers_call = reader.text("answers_call");
  node.message.train = reader.boolean("train");
  node.message.content_as_list = reader.boolean("content_as_list").value_or(false);
  node.source = read_entry(reader, "source", context.header().sources, &DatasetBuilder::source);
  if (reader.member("extra") != nullptr) node.message.extra_json = raw_member(raw, "extra");
  reader.refuse_the_rest();
  return node;
}

Target read_target(const Json& json, const std::string& path, RowContext& context) {
  ObjectReader reader(json, path, context);
  Target target;
  target.completion = reader.index("completion");
  target.node = reader.index("node");
  target.step = reader.index("step");
  target.begin = reader.integer("begin", -1);
  target.end = reader.integer("end", -1);
  reader.refuse_the_rest();
  return target;
}

Target read_target(ObjectReader& reader, std::string_view key) {
  const Json* value = reader.member(key);
  return value == nullptr ? Target{} : read_target(*value, reader.path(key), reader.context());
}

std::vector<Target> read_targets(const Json::Array& items, const std::string& path, RowContext& context) {
  std::vector<Target> targets;
  for (std::size_t i = 0; i < items.size(); ++i) {
    targets.push_back(read_target(items[i], path + '[' + std::to_string(i) + ']', context));
  }
  return targets;
}

Comparison read_comparison(ObjectReader reader) {
  Comparison what;
  what.a = read_target(reader, "a");
  what.b = read_target(reader, "b");
  if (const auto outcome = outcome_named(reader.text("outcome"))) {
    what.outcome = *outcome;
  } else {
    reader.context().fail(reader.path("outcome"), "an unknown outcome",
                          "a, b, tie, both_good, both_bad, incomparable or unsure");
  }
  what.strength = reader.number("strength");
  reader.refuse_the_rest();
  return what;
}

Ranking read_ranking(ObjectReader reader) {
  Ranking what;
  const Json::Array& tiers = reader.list("tiers");
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    if (tiers[i].is_array()) {
      what.tiers.push_back(read_targets(tiers[i].items(), reader.path("tiers", i), reader.context()));
    } else {
      reader.context().fail_type(reader.path("tiers", i), tiers[i], "a list");
    }
  }
  what.partial = reader.boolean("partial").value_or(false);
  reader.refuse_the_rest();
  return what;
}

Rating read_rating(ObjectReader reader) {
  Rating what;
  what.attribute = reader.text("attribute");
  if (const auto value = reader.number("value")) {
    what.value = *value;
  } else {
    reader.context().fail(reader.path("value"), "no number", "a number");
  }
  what.scale = read_entry(reader, "scale", reader.context().header().scales, &DatasetBuilder::scale);
  reader.refuse_the_rest();
  return what;
}

Votes read_votes(ObjectReader reader) {
  Votes what;
  what.options = read_targets(reader.list("options"), reader.path("options"), reader.context());
  const Json::Array& shares = reader.list("share");
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].is_number()) {
      what.share.push_back(shares[i].number());
    } else {
      reader.context().fail_type(reader.path("share", i), shares[i], "a number");
    }
  }
  reader.refuse_the_rest();
  return what;
}

Label read_label(ObjectReader reader) {
  Label what{reader.text("name"), reader.text("value")};
  reader.refuse_the_rest();
  return what;
}

Signal read_signal(ObjectReader reader) {
  Signal what{reader.text("kind"), reader.number("value").value_or(0)};
  reader.refuse_the_rest();
  return what;
}

std::optional<Judgement> read_judgement(ObjectReader& reader) {
  std::optional<Judgement> what;
  int said = 0;
  const auto object = [&](std::string_view key, auto&& read) {
    const Json* value = reader.member(key);
    if (value == nullptr) return;
    ++said;
    what = Judgement(read(ObjectReader(*value, reader.path(key), reader.context())));
  };
  object("comparison", read_comparison);
  object("ranking", read_ranking);
  object("rating", read_rating);
  object("votes", read_votes);
  object("label", read_label);
  object("signal", read_signal);
  if (reader.member("critique") != nullptr && ++said) what = Critique{reader.text("critique")};
  if (reader.member("edit") != nullptr && ++said) what = Edit{reader.text("edit")};
  if (said == 1) return what;
  reader.context().fail(reader.path(""), std::to_string(said) + " judgements",
                        "one of comparison, ranking, rating, votes, label, critique, edit, signal");
  return std::nullopt;
}

std::int32_t read_annotator(ObjectReader& reader, RowContext& context) {
  const auto& known = context.header().annotators;
  const Json* value = reader.member("annotator");
  if (value == nullptr || !value->is_string()) {
    return read_entry(reader, "annotator", known, &DatasetBuilder::annotator);
  }
  for (const Annotator& annotator : known) {
    if (annotator.id == value->string()) return context.builder().annotator(annotator);
  }
  return context.builder().annotator({.id = value->string()});
}

Feedback read_feedback(const Json& json, std::string_view raw, std::size_t index, RowContext& context) {
  ObjectReader reader(json, "feedback[" + std::to_string(index) + "]", context);
  Feedback feedback;
  if (auto what = read_judgement(reader)) feedback.what = *std::move(what);
  feedback.on = read_target(reader, "on");
  feedback.annotator = read_annotator(reader, context);
  feedback.rubric = read_entry(reader, "rubric", context.header().rubrics, &DatasetBuilder::rubric);
  feedback.supersedes = reader.index("supersedes");
  const Json::Array& shown = reader.list("shown");
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i].is_integer() && shown[i].integer() >= 0 && shown[i].integer() < (1 << 30)) {
      feedback.shown.push_back(static_cast<std::int32_t>(shown[i].integer()));
    } else {
      context.fail_type(reader.path("shown", i), shown[i], "a completion's index");
    }
  }
  feedback.why = reader.text("why");
  if (reader.member("time_us") != nullptr) feedback.time_us = reader.integer("time_us", 0);
  feedback.seconds = reader.number("seconds");
  feedback.confidence = reader.number("confidence");
  feedback.weight = reader.number("weight").value_or(1);
  if (reader.member("extra") != nullptr) feedback.extra_json = raw_member(raw, "extra");
  reader.refuse_the_rest();
  return feedback;
}

Annotator annotator_of(const Json& json, const std::string& path, RowContext& context) {
  ObjectReader reader(json, path, context);
  Annotator annotator{.id = reader.text("id")};
  if (const auto kind = annotator_kind_named(reader.text("kind"))) {
    annotator.kind = *kind;
  } else {
    context.fail(reader.path("kind"), "an unknown kind of annotator", "human, model, rule or crowd");
  }
  if (const Json* traits = reader.member("traits"); traits != nullptr && traits->is_object()) {
    for (const auto& [key, value] : traits->members()) {
      if (value.is_string()) {
        annotator.traits.emplace_back(key, value.string());
      } else {
        context.fail_type(reader.path("traits"), value, "strings");
      }
    }
  }
  reader.refuse_the_rest();
  return annotator;
}

Scale scale_of(const Json& json, const std::string& path, RowContext& context) {
  ObjectReader reader(json, path, context);
  Scale scale{reader.text("name"), reader.number("low"), reader.number("high"), reader.texts("words")};
  reader.refuse_the_rest();
  return scale;
}

Rubric rubric_of(const Json& json, const std::string& path, RowContext& context) {
  ObjectReader reader(json, path, context);
  Rubric rubric{reader.text("name"), reader.text("text")};
  reader.refuse_the_rest();
  return rubric;
}

Source source_of(const Json& json, const std::string& path, RowContext& context) {
  ObjectReader reader(json, path, context);
  Source source{reader.text("path"),    reader.text("format"), reader.text("layout"),
                reader.text("licence"), reader.text("hash"),   reader.texts("chain")};
  reader.refuse_the_rest();
  return source;
}

template <class Item>
std::vector<Item> table_of(ObjectReader& reader, std::string_view key,
                           Item (*read)(const Json&, const std::string&, RowContext&)) {
  std::vector<Item> items;
  const Json::Array& list = reader.list(key);
  for (std::size_t i = 0; i < list.size(); ++i) items.push_back(read(list[i], reader.path(key, i), reader.context()));
  return items;
}

}  // namespace

void read_native_header(const Json& row, RowContext& context) {
  ObjectReader reader(row, "", context);
  Dataset& header = context.header();
  reader.text("attune");
  header.annotators = table_of(reader, "annotators", annotator_of);
  header.scales = table_of(reader, "scales", scale_of);
  header.rubrics = table_of(reader, "rubrics", rubric_of);
  header.sources = table_of(reader, "sources", source_of);
  reader.refuse_the_rest();
  if (context.failed()) return;
  // Entered even if no row names them: people who were asked and never answered count too.
  for (const Annotator& annotator : header.annotators) context.builder().annotator(annotator);
  for (const Scale& scale : header.scales) context.builder().scale(scale);
  for (const Rubric& rubric : header.rubrics) context.builder().rubric(rubric);
  for (const Source& source : header.sources) context.builder().source(source);
}

std::optional<Record> from_native(const Row& row, RowContext& context) {
  ObjectReader reader(row.value, "", context);
  const auto raw_column = [&](std::string_view key) {
    std::string_view raw;
    for (const RawMember& column : row.columns) {
      if (column.key == key) raw = column.value;
    }
    return raw;
  };
  Record record{.id = reader.text("id")};
  const Json::Array& nodes = reader.list("nodes");
  const auto raw_nodes = raw_items(raw_column("nodes"));
  for (std::size_t i = 0; i < nodes.size(); ++i) record.nodes.push_back(read_node(nodes[i], raw_nodes[i], i, context));
  const Json::Array& completions = reader.list("completions");
  for (std::size_t i = 0; i < completions.size(); ++i) {
    ObjectReader completion(completions[i], reader.path("completions", i), context);
    record.completions.push_back({completion.index("after"), completion.index("last")});
    completion.refuse_the_rest();
  }
  const Json::Array& feedback = reader.list("feedback");
  const auto raw_feedback = raw_items(raw_column("feedback"));
  for (std::size_t i = 0; i < feedback.size(); ++i) {
    record.feedback.push_back(read_feedback(feedback[i], raw_feedback[i], i, context));
  }
  record.context = reader.text("context");
  record.answer = reader.text("answer");
  record.documents = reader.texts("documents");
  reader.list("tools");
  for (const std::string_view tool : raw_items(raw_column("tools"))) record.tools_json.emplace_back(tool);
  if (reader.member("extra") != nullptr) record.extra_json = raw_column("extra");
  reader.refuse_the_rest();
  if (context.failed()) return std::nullopt;
  return record;
}

}  // namespace attune
