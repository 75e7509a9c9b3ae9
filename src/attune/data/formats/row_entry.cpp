#include "attune/data/formats/row_entry.h"

#include <algorithm>

#include "attune/data/raw_json.h"

namespace attune::formats {

Entry::Entry(const Json& object, std::string path, RowContext& context)
    : in_(&object), path_(std::move(path)), context_(&context) {
  if (!object.is_object()) context.fail_type(path_, object, "an object");
}

std::string Entry::path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

void Entry::fail(std::string_view key, std::string found, std::string expected) {
  context_->fail(path(key), std::move(found), std::move(expected));
}

void Entry::fail_type(std::string_view key, const Json& value, std::string expected) {
  context_->fail_type(path(key), value, std::move(expected));
}

const Json* Entry::in(std::string_view key) {
  known_.emplace_back(key);
  const Json* value = in_->find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void Entry::out(std::string_view key, Json value) { out_.members().emplace_back(std::string(key), std::move(value)); }

const Json* Entry::required(std::string_view key, std::string_view expected) {
  const Json* value = in(key);
  if (value != nullptr) return value;
  const Json* null = in_->find(key);
  fail(key, null != nullptr ? "null" : path_.empty() ? "no such column" : "no such member", std::string(expected));
  return nullptr;
}

void Entry::text(std::string_view key, std::string& value) {
  if (!reading()) return out(key, value);
  const Json* json = required(key, "a string");
  if (json == nullptr) return;
  if (!json->is_string()) return fail_type(key, *json, "a string");
  value = json->string();
}

void Entry::optional_text(std::string_view key, std::string& value) {
  if (!reading()) {
    if (!value.empty()) out(key, value);
    return;
  }
  const Json* json = in(key);
  if (json == nullptr) return;
  if (!json->is_string()) return fail_type(key, *json, "a string");
  value = json->string();
}

void Entry::integer(std::string_view key, std::optional<double>& value) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  if (!reading()) {
    if (!value) return;
    const bool whole = std::trunc(*value) == *value && std::abs(*value) <= exact;
    return out(key, whole ? Json(static_cast<std::int64_t>(*value)) : Json(*value));
  }
  real(key, value);
}

void Entry::real(std::string_view key, std::optional<double>& value) {
  if (!reading()) {
    if (value) out(key, *value);
    return;
  }
  const Json* json = in(key);
  if (json == nullptr) return;
  if (!json->is_number()) return fail_type(key, *json, "a number");
  value = json->number();
}

void Entry::boolean(std::string_view key, std::optional<bool>& value) {
  if (!reading()) {
    if (value) out(key, *value);
    return;
  }
  const Json* json = in(key);
  if (json == nullptr) return;
  if (!json->is_bool()) return fail_type(key, *json, "true or false");
  value = json->boolean();
}

void Entry::texts(std::string_view key, std::vector<std::string>& value) {
  if (!reading()) {
    Json items = Json::array();
    for (const std::string& text : value) items.push_back(text);
    return out(key, std::move(items));
  }
  const Json* json = required(key, "a list of strings");
  if (json == nullptr) return;
  if (!json->is_array()) return fail_type(key, *json, "a list of strings");
  for (std::size_t i = 0; i < json->size(); ++i) {
    const Json& item = json->items()[i];
    if (!item.is_string()) return fail_type(std::string(key) + '[' + std::to_string(i) + ']', item, "a string");
    value.push_back(item.string());
  }
}

void Entry::object(std::string_view key, const std::function<void(Entry&)>& visit) {
  if (!reading()) {
    Entry inner;
    visit(inner);
    return out(key, inner.finish());
  }
  const Json* json = in(key);
  if (json == nullptr) return;
  if (!json->is_object()) return fail_type(key, *json, "an object");
  Entry inner(*json, path(key), *context_);
  visit(inner);
}

void Entry::list(std::string_view key, std::size_t count, const std::function<void(Entry&, std::size_t)>& visit) {
  if (!reading()) {
    Json items = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      Entry inner;
      visit(inner, i);
      items.push_back(inner.finish());
    }
    return out(key, std::move(items));
  }
  const Json* json = required(key, "a list of objects");
  if (json == nullptr) return;
  if (!json->is_array()) return fail_type(key, *json, "a list of objects");
  for (std::size_t i = 0; i < json->size(); ++i) {
    const std::string name = path(key) + '[' + std::to_string(i) + ']';
    if (!json->items()[i].is_object()) return context_->fail_type(name, json->items()[i], "an object");
    Entry inner(json->items()[i], name, *context_);
    visit(inner, i);
  }
}

void Entry::rest(std::string& extra_json) {
  if (!reading()) {
    if (extra_json.empty()) return;
    const Json extra = Json::parse(extra_json);
    for (const auto& [key, value] : extra.members()) {
      if (out_.find(key) == nullptr) out(key, value);
    }
    return;
  }
  Json extra = Json::object();
  for (const auto& [key, value] : in_->members()) {
    const bool taken = std::find(known_.begin(), known_.end(), key) != known_.end();
    if (!taken || value.is_null()) extra.members().emplace_back(key, value);
  }
  if (extra.size() > 0) extra_json = extra.str();
}

}  // namespace attune::formats
