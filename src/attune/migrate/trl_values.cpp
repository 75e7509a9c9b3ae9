#include "attune/migrate/trl_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "attune/base/errors.h"

namespace attune {
namespace {

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// As argparse reads truth values.
std::optional<bool> as_truth(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (text == "true" || text == "yes" || text == "t" || text == "y" || text == "1" || text == "on") return true;
  if (text == "false" || text == "no" || text == "f" || text == "n" || text == "0" || text == "off") return false;
  return std::nullopt;
}

bool is_none(const ConfigNode& node) {
  const bool word = node.kind == ConfigNode::Kind::scalar && !node.quoted &&
                    (node.text == "None" || node.text == "null" || node.text == "none" || node.text == "~");
  return node.kind == ConfigNode::Kind::null || word;
}

}  // namespace

double trl_number(const ConfigNode& node, std::string_view argument) {
  const auto value = node.kind == ConfigNode::Kind::scalar ? as_number(node.text) : std::nullopt;
  if (!value) throw ConfigError(node.where(std::string(argument)), "no number", "a number");
  return *value;
}

bool TrlValues::given(std::string_view name) const {
  const ConfigNode* node = command_->find(name);
  return node != nullptr && !is_none(*node);
}

Where TrlValues::where(std::string_view name) const {
  const ConfigNode* node = command_->find(name);
  return node != nullptr ? node->where(std::string(name)) : Where{.file = command_->file, .field = std::string(name)};
}

std::string TrlValues::text(std::string_view name) const {
  const ConfigNode* node = command_->find(name);
  if (node == nullptr) {
    const TrlKey* key = find_trl_key(name, command_->letter);
    return key != nullptr ? std::string(key->fallback) : "";
  }
  if (is_none(*node)) return "";
  if (node->kind != ConfigNode::Kind::scalar) throw ConfigError(where(name), "several values", "one");
  return node->text;
}

std::string TrlValues::number_text(std::string_view name) const {
  std::string value = text(name);
  if (!as_number(value)) throw ConfigError(where(name), "no number", "a number");
  return value;
}

double TrlValues::number(std::string_view name) const { return *as_number(number_text(name)); }

std::int64_t TrlValues::count(std::string_view name) const {
  const double value = number(name);
  if (value != std::floor(value) || value < 1 || value > 1e9) {
    throw ConfigError(where(name), "no whole number above 0", "a whole number from 1 to 1000000000");
  }
  return static_cast<std::int64_t>(value);
}

bool TrlValues::truth(std::string_view name) const {
  const std::string value = text(name);
  if (value.empty()) return false;
  const auto truth = as_truth(value);
  if (!truth) throw ConfigError(where(name), "neither true nor false", "true or false");
  return *truth;
}

std::vector<std::string> TrlValues::list(std::string_view name) const {
  const ConfigNode* node = command_->find(name);
  if (node == nullptr || node->kind != ConfigNode::Kind::list) {
    const std::string value = text(name);
    return value.empty() ? std::vector<std::string>() : std::vector<std::string>{value};
  }
  std::vector<std::string> values;
  for (const ConfigNode& item : node->items) {
    if (item.kind != ConfigNode::Kind::scalar)
      throw ConfigError(where(name), "a list of lists or maps", "plain values");
    values.push_back(item.text);
  }
  return values;
}

bool TrlValues::harmless(const TrlKey& key) const {
  if (!given(key.name)) return true;
  const ConfigNode& node = *command_->find(key.name);
  if (node.kind != ConfigNode::Kind::scalar) return false;
  for (const std::string_view other : {key.fallback, key.harmless}) {
    if (other.empty()) continue;
    const std::string good(other);
    if (node.text == good) return true;
    if (as_number(good) && as_number(good) == as_number(node.text)) return true;
    if (as_truth(good) && !as_number(good) && as_truth(good) == as_truth(node.text)) return true;
  }
  return false;
}

std::string TrlValues::remark(std::string_view name) const {
  return std::string(name) + (given(name) ? "" : ", TRL's default");
}

}  // namespace attune
