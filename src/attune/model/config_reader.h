// Typed access to the keys of a config.json; a wrong type is a FormatError that names the key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"

namespace attune {

class ConfigReader {
 public:
  // Both are kept by reference. `prefix` is put before keys in messages.
  ConfigReader(const Json& values, const Path& path, std::string prefix = "")
      : values_(values), path_(path), prefix_(std::move(prefix)) {
    if (!values.is_object()) fail("the file", std::string(values.type_name()), "an object");
  }

  [[noreturn]] void fail(std::string_view key, const std::string& found, const std::string& expected) const {
    throw FormatError({.file = path_.string(), .field = prefix_ + std::string(key)}, found, expected);
  }

  bool has(std::string_view key) const { return values_.find(key) != nullptr; }  // null counts
  // nullptr when absent or null.
  const Json* find(std::string_view key) const {
    const Json* value = values_.find(key);
    return value != nullptr && !value->is_null() ? value : nullptr;
  }
  std::int64_t integer(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) fail(key, "nothing", "an integer");
    return integer(key, 0);
  }
  std::int64_t integer(std::string_view key, std::int64_t otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_integer()) fail(key, std::string(value->type_name()), "an integer");
    return value->integer();
  }
  double number(std::string_view key, double otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_number()) fail(key, std::string(value->type_name()), "a number");
    return value->number();
  }
  // A number that null turns off: 0 then, `otherwise` for an absent key.
  double number_or_null(std::string_view key, double otherwise) const {
    return has(key) && find(key) == nullptr ? 0 : number(key, otherwise);
  }
  bool boolean(std::string_view key, bool otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_bool()) fail(key, std::string(value->type_name()), "true or false");
    return value->boolean();
  }
  std::string string(std::string_view key, const std::string& otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_string()) fail(key, std::string(value->type_name()), "a string");
    return value->string();
  }
  // Refuses any other value than the one that is computed here.
  void only(std::string_view key, const char* supported) const {
    if (const std::string value = string(key, supported); value != supported) fail(key, json_quote(value), supported);
  }
  void only(std::string_view key, bool supported) const {
    if (boolean(key, supported) != supported) {
      fail(key, supported ? "false" : "true", supported ? "true" : "false, the only form that is supported");
    }
  }
  const Path& path() const { return path_; }

 private:
  const Json& values_;
  const Path& path_;
  std::string prefix_;
};

}  // namespace attune
