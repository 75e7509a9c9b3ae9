#include "attune/config/node.h"

#include <yaml-cpp/yaml.h>

#include <charconv>

namespace attune {
namespace {

constexpr int max_depth = 64;

ConfigNode convert(const YAML::Node& yaml, const std::string& file, int depth) {
  ConfigNode node;
  node.file = file;
  node.line = yaml.Mark().line >= 0 ? yaml.Mark().line + 1 : -1;
  if (depth > max_depth) throw ConfigError(node.where(""), "nesting deeper than 64 levels");
  if (yaml.IsScalar()) {
    node.kind = ConfigNode::Kind::scalar;
    node.text = yaml.Scalar();
    node.quoted = yaml.Tag() == "!";
  } else if (yaml.IsSequence()) {
    node.kind = ConfigNode::Kind::list;
    for (const auto& item : yaml) node.items.push_back(convert(item, file, depth + 1));
  } else if (yaml.IsMap()) {
    node.kind = ConfigNode::Kind::map;
    for (const auto& member : yaml) {
      ConfigNode key = convert(member.first, file, depth + 1);
      if (key.kind != ConfigNode::Kind::scalar) throw ConfigError(key.where(""), "a key that is no plain text");
      if (node.find(key.text) != nullptr) throw ConfigError(key.where(key.text), "the same key twice", "", "keep one");
      ConfigNode value = convert(member.second, file, depth + 1);
      if (value.kind == ConfigNode::Kind::null || value.line < 0) value.line = key.line;
      node.members.emplace_back(std::move(key.text), std::move(value));
    }
  }
  return node;
}

std::string describe_kind(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::null:
      return "nothing";
    case ConfigNode::Kind::scalar:
      return "a plain value";
    case ConfigNode::Kind::list:
      return "a list";
    case ConfigNode::Kind::map:
      return "a map";
  }
  return "";
}

// The child of `node` that `key` names, made when it is not there. A choice written short (`objective: dpo`) opens up
// when its own name is addressed (`objective.dpo.beta=0.2`); any other plain value becomes the member without a name of
// a map, which a struct with a shorthand takes for that key (`model: path` with `model.dtype=float64`).
ConfigNode& child(ConfigNode& node, const std::string& key, const std::string& path) {
  if (node.kind == ConfigNode::Kind::scalar && node.text == key) {
    node.kind = ConfigNode::Kind::map;
    node.members.emplace_back(key, ConfigNode{});
  } else if (node.kind == ConfigNode::Kind::scalar) {
    ConfigNode value = node;
    node.kind = ConfigNode::Kind::map;
    node.members.emplace_back("", std::move(value));
  }
  if (node.kind == ConfigNode::Kind::null) node.kind = ConfigNode::Kind::map;
  if (node.kind == ConfigNode::Kind::list) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    if (error == std::errc{} && end == key.data() + key.size() && index < node.items.size()) return node.items[index];
  }
  if (node.kind != ConfigNode::Kind::map) {
    throw ConfigError(node.where(path), describe_kind(node) + " where '" + key + "' was to be set", "a map");
  }
  for (auto& member : node.members) {
    if (member.first == key) return member.second;
  }
  return node.members.emplace_back(key, ConfigNode{}).second;
}

void emit(const Json& value, int depth, bool in_list, std::string& out) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  if (value.is_object() && value.size() > 0) {
    bool first = true;
    for (const auto& [key, member] : value.members()) {
      if (!(first && in_list)) out += indent;
      first = false;
      const bool nested = (member.is_object() || member.is_array()) && member.size() > 0;
      out += key + ":" + (nested ? "\n" : " ");
      emit(member, depth + 1, false, out);
    }
  } else if (value.is_array() && value.size() > 0) {
    for (const Json& item : value.items()) {
      out += indent + "- ";
      emit(item, depth + 1, true, out);
    }
  } else {
    out += value.str() + "\n";
  }
}

}  // namespace

const ConfigNode* ConfigNode::find(std::string_view key) const {
  for (const auto& member : members) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

ConfigNode parse_yaml(std::string_view text, std::string file) {
  try {
    const auto documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) throw ConfigError({.file = file}, "several YAML documents", "one");
    if (documents.empty()) {
      ConfigNode node;
      node.file = std::move(file);
      return node;
    }
    return convert(documents.front(), file, 0);
  } catch (const YAML::Exception& error) {
    throw ConfigError({.file = std::move(file), .line = error.mark.line + 1}, "text that is no YAML: " + error.msg);
  }
}

ConfigNode read_yaml(const Path& path) { return parse_yaml(read_file(path), path.string()); }

void apply_override(ConfigNode& root, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw UsageError({}, "'" + std::string(assignment) + "'", "key=value");
  }
  const std::string path(assignment.substr(0, equals));
  ConfigNode* node = &root;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    node = &child(*node, path.substr(begin, end - begin), path);
    begin = end + 1;
  }
  *node = parse_yaml(assignment.substr(equals + 1), "command line");
  node->line = -1;
}

std::string to_yaml(const Json& value) {
  std::string out;
  emit(value, 0, false, out);
  return out;
}

}  // namespace attune
