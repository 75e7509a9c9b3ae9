#include "attune/data/object_reader.h"

#include <algorithm>
#include <limits>

#include "attune/base/errors.h"

namespace attune {

ObjectReader::ObjectReader(const Json& object, std::string path, RowContext& context)
    : object_(object), path_(std::move(path)), context_(context) {
  if (!object.is_object()) context_.fail_type(path_, object, "an object");
}

std::string ObjectReader::path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

std::string ObjectReader::path(std::string_view key, std::size_t item) const {
  return path(key) + '[' + std::to_string(item) + ']';
}

const Json* ObjectReader::member(std::string_view key) {
  known_.emplace_back(key);
  return object_.find(key);
}

std::string ObjectReader::text(std::string_view key) {
  const Json* value = member(key);
  if (value == nullptr) return {};
  if (value->is_string()) return value->string();
  context_.fail_type(path(key), *value, "a string");
  return {};
}

std::int64_t ObjectReader::integer(std::string_view key, std::int64_t otherwise) {
  const Json* value = member(key);
  if (value == nullptr) return otherwise;
  if (value->is_integer()) return value->integer();
  context_.fail_type(path(key), *value, "an integer");
  return otherwise;
}

std::int32_t ObjectReader::index(std::string_view key) {
  const std::int64_t value = integer(key, -1);
  if (value >= -1 && value <= std::numeric_limits<std::int32_t>::max()) return static_cast<std::int32_t>(value);
  context_.fail(path(key), std::to_string(value), "an index");
  return -1;
}

std::optional<double> ObjectReader::number(std::string_view key) {
  const Json* value = member(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return value->number();
  context_.fail_type(path(key), *value, "a number");
  return std::nullopt;
}

std::optional<bool> ObjectReader::boolean(std::string_view key) {
  const Json* value = member(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->boolean();
  context_.fail_type(path(key), *value, "true or false");
  return std::nullopt;
}

const Json::Array& ObjectReader::list(std::string_view key) {
  static const Json::Array none;
  const Json* value = member(key);
  if (value == nullptr) return none;
  if (value->is_array()) return value->items();
  context_.fail_type(path(key), *value, "a list");
  return none;
}

std::vector<std::string> ObjectReader::texts(std::string_view key) {
  std::vector<std::string> result;
  const Json::Array& items = list(key);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].is_string()) {
      result.push_back(items[i].string());
    } else {
      context_.fail_type(path(key, i), items[i], "a string");
    }
  }
  return result;
}

void ObjectReader::refuse_the_rest() {
  if (!object_.is_object()) return;
  for (const auto& [key, value] : object_.members()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string near = nearest(key, known_);
    context_.fail(path_, "an unknown key", near.empty() ? "keys of the native form" : "a key such as " + near);
  }
}

}  // namespace attune
