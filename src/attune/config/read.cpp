#include "attune/config/read.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace attune {
namespace {

std::string join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : std::string(path) + "." + std::string(key);
}

std::string in_words(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::null:
      return "nothing";
    case ConfigNode::Kind::scalar:
      return "'" + node.text + "'";
    case ConfigNode::Kind::list:
      return "a list";
    case ConfigNode::Kind::map:
      return "a map";
  }
  return "";
}

std::string alternatives(const std::vector<std::string_view>& names) {
  std::string text = "one of ";
  for (std::size_t i = 0; i < names.size(); ++i) text += (i > 0 ? ", " : "") + std::string(names[i]);
  return text;
}

template <class Number>
bool parse_number(const std::string& text, Number& value) {
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

// Reads one map. Fields call it key by key; finish() then knows every key that exists and refuses the others.
class Reader final : public Fields {
 public:
  Reader(const ConfigNode& node, std::string path) : node_(&node), path_(std::move(path)) {}

  void shorthand(std::string_view key) override {
    if (node_->kind == ConfigNode::Kind::scalar) {
      opened_.kind = ConfigNode::Kind::map;
      opened_.file = node_->file;
      opened_.line = node_->line;
      opened_.members.emplace_back(std::string(key), *node_);
    } else if (node_->find("") != nullptr) {  // a plain value that an override opened up
      opened_ = *node_;
      for (auto& member : opened_.members) {
        if (member.first.empty()) member.first = key;
      }
    } else {
      return;
    }
    node_ = &opened_;
  }

  void finish() const {
    check_is_map();
    for (const auto& [key, value] : node_->members) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      if (key.empty()) throw ConfigError(value.where(path_), in_words(value), "a map of keys");
      const std::string near = nearest(key, known_);
      throw ConfigError(value.where(join(path_, key)), "an unknown key",
                        near.empty() ? alternatives({known_.begin(), known_.end()}) : "",
                        near.empty() ? "" : "did you mean '" + near + "'?");
    }
  }

 protected:
  void scalar(std::string_view key, ScalarAccess access, std::string_view) override {
    const ConfigNode* node = take(key);
    number_.reset();
    if (node == nullptr) return;
    if (node->kind != ConfigNode::Kind::scalar) wrong_type(*node, "a plain value");
    std::visit([&](auto& value) { read(*node, value); }, access);
  }

  void object(std::string_view key, const std::function<void(Fields&)>& describe, std::string_view) override {
    const ConfigNode* node = take(key);
    ConfigNode absent;
    absent.kind = ConfigNode::Kind::map;
    absent.file = node_->file;
    absent.line = node_->line;
    Reader inner(node != nullptr ? *node : absent, current_);
    describe(inner);
    inner.finish();
  }

  void list(std::string_view key, const ListAccess& access, std::string_view) override {
    const ConfigNode* node = take(key);
    if (node == nullptr) return;
    const bool single = node->kind != ConfigNode::Kind::list;  // one element needs no brackets
    const std::string base = current_;
    access.resize(single ? 1 : node->items.size());
    for (std::size_t i = 0; i < access.size(); ++i) {
      ConfigNode holder;
      holder.kind = ConfigNode::Kind::map;
      const std::string name = single ? base : base + "[" + std::to_string(i) + "]";
      holder.members.emplace_back(name, single ? *node : node->items[i]);
      Reader element(holder, "");
      access.visit(i, element, name);
    }
    current_ = base;
    present_ = true;
  }

  void optional(std::string_view key, const OptionalAccess& access, std::string_view) override {
    const ConfigNode* node = take(key);
    if (node == nullptr) return;
    access.set(true);
    access.visit(*this);
  }

  void choice(std::string_view key, const ChoiceAccess& access, std::string_view) override {
    const ConfigNode* node = take(key);
    if (node == nullptr) return;
    ConfigNode empty;
    empty.kind = ConfigNode::Kind::map;
    empty.file = node->file;
    empty.line = node->line;
    std::string name;
    const ConfigNode* options = &empty;
    if (node->kind == ConfigNode::Kind::scalar) {
      name = node->text;
    } else if (node->kind == ConfigNode::Kind::map && node->members.size() == 1) {
      name = node->members.front().first;
      if (node->members.front().second.kind != ConfigNode::Kind::null) options = &node->members.front().second;
    } else {
      wrong_type(*node, "one name, or {name: {options}}");
    }
    const std::string path = current_;
    if (!access.select(name)) {
      const std::string near = nearest(name, access.names);
      throw ConfigError(node->where(path), "the unknown " + std::string(access.kind) + " '" + name + "'",
                        near.empty() ? alternatives(access.names) : "",
                        near.empty() ? "" : "did you mean '" + near + "'?");
    }
    Reader inner(*options, join(path, name));
    access.describe(inner);
    inner.finish();
  }

  void apply_bound(const Bound& bound) override {
    if (number_ && !bound.holds(*number_)) {
      throw ConfigError(last_->where(current_), format_double(*number_), "a value " + bound.str());
    }
  }

  void require_present() override {
    if (!present_) throw ConfigError(node_->where(current_), "no such key", "a value: it has no default");
  }

 private:
  void check_is_map() const {
    if (node_->kind == ConfigNode::Kind::scalar || node_->kind == ConfigNode::Kind::list) {
      throw ConfigError(node_->where(path_), in_words(*node_), "a map of keys");
    }
  }

  const ConfigNode* take(std::string_view key) {
    check_is_map();
    known_.emplace_back(key);
    current_ = join(path_, key);
    last_ = node_->find(key);
    present_ = last_ != nullptr && last_->kind != ConfigNode::Kind::null;
    return present_ ? last_ : nullptr;
  }

  [[noreturn]] void wrong_type(const ConfigNode& node, std::string expected) const {
    throw ConfigError(node.where(current_), in_words(node), std::move(expected));
  }

  void read(const ConfigNode& node, bool* value) {
    if (node.quoted || (node.text != "true" && node.text != "false")) wrong_type(node, "true or false");
    *value = node.text == "true";
  }
  void read(const ConfigNode& node, std::int64_t* value) {
    if (node.quoted || !parse_number(node.text, *value)) wrong_type(node, "a whole number");
    number_ = static_cast<double>(*value);
  }
  void read(const ConfigNode& node, int* value) {
    if (node.quoted || !parse_number(node.text, *value)) wrong_type(node, "a whole number");
    number_ = *value;
  }
  void read(const ConfigNode& node, double* value) {
    if (node.quoted || !parse_number(node.text, *value) || !std::isfinite(*value)) wrong_type(node, "a number");
    number_ = *value;
  }
  void read(const ConfigNode& node, std::string* value) { *value = node.text; }
  void read(const ConfigNode& node, EnumAccess& access) {
    const auto found = std::find(access.names.begin(), access.names.end(), node.text);
    if (found == access.names.end()) wrong_type(node, alternatives(access.names));
    access.set(static_cast<std::size_t>(found - access.names.begin()));
  }

  const ConfigNode* node_;
  ConfigNode opened_;  // the map that a shorthand scalar stands for
  std::string path_;
  std::vector<std::string> known_;
  std::string current_;  // the field visited last: its path, node, number and presence
  const ConfigNode* last_ = nullptr;
  std::optional<double> number_;
  bool present_ = false;
};

Json scalar_value(const ScalarAccess& access) {
  if (const auto* choice = std::get_if<EnumAccess>(&access)) return choice->names[choice->get()];
  if (auto* const* value = std::get_if<bool*>(&access)) return **value;
  if (auto* const* value = std::get_if<std::int64_t*>(&access)) return **value;
  if (auto* const* value = std::get_if<int*>(&access)) return **value;
  if (auto* const* value = std::get_if<double*>(&access)) return **value;
  return *std::get<std::string*>(access);
}

class Writer final : public Fields {
 public:
  Json result = Json::object();
  void shorthand(std::string_view) override {}

 protected:
  void scalar(std::string_view key, ScalarAccess access, std::string_view) override {
    result.set(key, scalar_value(access));
  }
  void object(std::string_view key, const std::function<void(Fields&)>& describe, std::string_view) override {
    result.set(key, save_fields(describe));
  }
  void list(std::string_view key, const ListAccess& access, std::string_view) override {
    Json items = Json::array();
    for (std::size_t i = 0; i < access.size(); ++i) {
      Writer element;
      access.visit(i, element, "item");
      items.push_back(*element.result.find("item"));
    }
    result.set(key, std::move(items));
  }
  void optional(std::string_view key, const OptionalAccess& access, std::string_view) override {
    if (access.has()) {
      access.visit(*this);
    } else {
      result.set(key, nullptr);
    }
  }
  void choice(std::string_view key, const ChoiceAccess& access, std::string_view) override {
    if (access.get().empty()) {
      result.set(key, nullptr);
      return;
    }
    Json chosen = Json::object();
    chosen.set(access.get(), save_fields(access.describe));
    result.set(key, std::move(chosen));
  }
  void apply_bound(const Bound&) override {}
  void require_present() override {}
};

class Schema final : public Fields {
 public:
  Schema() {
    result.set("type", "object");
    result.set("additionalProperties", false);
    result.set("properties", Json::object());
  }
  Json result = Json::object();
  void shorthand(std::string_view key) override { result.set("x-shorthand", key); }

 protected:
  void scalar(std::string_view key, ScalarAccess access, std::string_view help) override {
    Json schema = Json::object();
    if (const auto* choice = std::get_if<EnumAccess>(&access)) {
      Json names = Json::array();
      for (const auto name : choice->names) names.push_back(name);
      schema.set("enum", std::move(names));
    } else {
      static constexpr std::string_view types[] = {"boolean", "integer", "integer", "number", "string"};
      schema.set("type", types[access.index()]);
    }
    schema.set("default", scalar_value(access));
    add(key, std::move(schema), help);
  }
  void object(std::string_view key, const std::function<void(Fields&)>& describe, std::string_view help) override {
    add(key, schema_of_fields(describe), help);
  }
  void list(std::string_view key, const ListAccess& access, std::string_view help) override {
    const std::size_t size = access.size();
    access.resize(size + 1);  // a default element, to ask what it is made of
    Schema element;
    access.visit(size, element, "item");
    access.resize(size);
    Json schema = Json::object();
    schema.set("type", "array");
    schema.set("items", *element.result.find("properties")->find("item"));
    add(key, std::move(schema), help);
  }
  void optional(std::string_view, const OptionalAccess& access, std::string_view) override {
    const bool had = access.has();
    if (!had) access.set(true);
    access.visit(*this);
    if (!had) {
      access.set(false);
      properties().members().back().second.set("default", nullptr);
    }
  }
  void choice(std::string_view key, const ChoiceAccess& access, std::string_view help) override {
    Json schema = Json::object();
    schema.set("x-kind", access.kind);
    Json names = Json::array();
    for (const auto name : access.names) names.push_back(name);
    schema.set("x-names", std::move(names));
    if (!access.get().empty()) schema.set("default", access.get());
    add(key, std::move(schema), help);
  }
  void apply_bound(const Bound& bound) override {
    Json& schema = properties().members().back().second;
    if (bound.has_low) schema.set(bound.open_low ? "exclusiveMinimum" : "minimum", bound.low);
    if (bound.has_high) schema.set(bound.open_high ? "exclusiveMaximum" : "maximum", bound.high);
  }
  void require_present() override {
    if (result.find("required") == nullptr) result.set("required", Json::array());
    const_cast<Json*>(result.find("required"))->push_back(properties().members().back().first);
  }

 private:
  Json& properties() { return const_cast<Json&>(*result.find("properties")); }
  void add(std::string_view key, Json schema, std::string_view help) {
    if (!help.empty()) schema.set("description", help);
    properties().set(key, std::move(schema));
  }
};

}  // namespace

bool Bound::holds(double value) const {
  if (has_low && (open_low ? value <= low : value < low)) return false;
  return !(has_high && (open_high ? value >= high : value > high));
}

std::string Bound::str() const {
  const auto number = [](double value) {
    std::string text = format_double(value);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text;
  };
  if (has_low && has_high) {
    return (open_low ? "strictly between " : "within ") + number(low) + " and " + number(high);
  }
  if (has_low) return (open_low ? "above " : "of at least ") + number(low);
  return (open_high ? "below " : "of at most ") + number(high);
}

void read_fields(const ConfigNode& node, const std::function<void(Fields&)>& describe) {
  Reader reader(node, "");
  describe(reader);
  reader.finish();
}

Json save_fields(const std::function<void(Fields&)>& describe) {
  Writer writer;
  describe(writer);
  return std::move(writer.result);
}

Json schema_of_fields(const std::function<void(Fields&)>& describe) {
  Schema schema;
  describe(schema);
  return std::move(schema.result);
}

}  // namespace attune
