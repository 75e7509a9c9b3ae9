// Members of a JSON file with clear errors: every question names the field that it asks for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/json.h"

namespace attune {

class JsonFields {
 public:
  static constexpr std::int64_t largest_id = (1 << 24) - 1;  // a table by id of a lying file stays below 0.5 GiB

  explicit JsonFields(std::string file) : file_(std::move(file)) {}

  [[noreturn]] void fail(std::string field, std::string found, std::string expected = {},
                         std::string remedy = {}) const {
    throw FormatError(where(std::move(field)), std::move(found), std::move(expected), std::move(remedy));
  }
  // For a kind that is known to nobody here.
  [[noreturn]] void refuse(const std::string& field, const std::string& kind) const {
    fail(field, "the kind " + json_quote(kind), "a kind of docs/tokenizers.md", "use a tokenizer of a supported kind");
  }
  Where where(std::string field) const { return {.file = file_, .field = std::move(field)}; }

  static std::string join(const std::string& field, std::string_view key) {
    return field.empty() ? std::string(key) : field + "." + std::string(key);
  }
  static std::string entry(const std::string& field, std::size_t index) {
    return field + "[" + std::to_string(index) + "]";
  }
  static bool given(const Json* value) { return value && !value->is_null(); }

  const Json& object(const Json& parent, const std::string& field, std::string_view key) const {
    const Json* value = parent.find(key);
    if (!given(value)) fail(join(field, key), "nothing", "an object");
    if (!value->is_object()) fail(join(field, key), std::string(value->type_name()), "an object");
    return *value;
  }
  const Json& array(const Json& parent, const std::string& field, std::string_view key) const {
    const Json* value = parent.find(key);
    if (!given(value)) fail(join(field, key), "nothing", "an array");
    if (!value->is_array()) fail(join(field, key), std::string(value->type_name()), "an array");
    return *value;
  }
  const std::string& text(const Json& parent, const std::string& field, std::string_view key) const {
    const Json* value = parent.find(key);
    if (!value || !value->is_string())
      fail(join(field, key), value ? std::string(value->type_name()) : "nothing", "a string");
    return value->string();
  }
  std::string text_or(const Json& parent, const std::string& field, std::string_view key, std::string otherwise) const {
    return given(parent.find(key)) ? text(parent, field, key) : std::move(otherwise);
  }
  bool flag(const Json& parent, const std::string& field, std::string_view key, bool otherwise) const {
    const Json* value = parent.find(key);
    if (!given(value)) return otherwise;
    if (!value->is_bool()) fail(join(field, key), std::string(value->type_name()), "true or false");
    return value->boolean();
  }
  std::size_t count(const Json& parent, const std::string& field, std::string_view key, std::size_t otherwise) const {
    const Json* value = parent.find(key);
    if (!given(value)) return otherwise;
    if (!value->is_integer() || value->integer() < 0 || value->integer() > largest_id)
      fail(join(field, key), std::string(value->type_name()), "a number from 0 to " + std::to_string(largest_id));
    return static_cast<std::size_t>(value->integer());
  }
  std::int32_t id(const Json& value, const std::string& field) const {
    if (!value.is_integer() || value.integer() < 0 || value.integer() > largest_id) {
      fail(field, value.is_integer() ? "id " + std::to_string(value.integer()) : std::string(value.type_name()),
           "an id from 0 to " + std::to_string(largest_id));
    }
    return static_cast<std::int32_t>(value.integer());
  }
  std::vector<const Json*> sequence(const Json& value, const std::string& field, std::string_view key) const {
    std::vector<const Json*> items;
    for (const Json& item : array(value, field, key).items()) {
      if (!item.is_object()) fail(entry(join(field, key), items.size()), std::string(item.type_name()), "an object");
      items.push_back(&item);
    }
    return items;
  }

 private:
  std::string file_;
};

}  // namespace attune
