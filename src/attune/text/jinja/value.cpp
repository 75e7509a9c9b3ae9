#include "attune/text/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "attune/text/unicode.h"

namespace attune::jinja {

const Value* Dict::find(const Value& key) const {
  for (const auto& [own, value] : items) {
    if (own.equals(key)) return &value;
  }
  return nullptr;
}

const Value* Dict::find(std::string_view key) const {
  for (const auto& [own, value] : items) {
    if (own.is_text() && own.text().view() == key) return &value;
  }
  return nullptr;
}

void Dict::set(Value key, Value value) {
  for (auto& [own, old] : items) {
    if (own.equals(key)) {
      old = std::move(value);
      return;
    }
  }
  items.emplace_back(std::move(key), std::move(value));
}

Value Value::from_json(const Json& json, Mark mark) {
  switch (json.type()) {
    case Json::Type::null:
      return None{};
    case Json::Type::boolean:
      return json.boolean();
    case Json::Type::integer:
      return json.integer();
    case Json::Type::number:
      return json.number();
    case Json::Type::string:
      return Text(json.string(), mark);
    case Json::Type::array: {
      List list;
      for (const Json& item : json.items()) list.items.push_back(from_json(item, mark));
      return list;
    }
    case Json::Type::object:
      break;
  }
  Dict dict;
  for (const auto& [key, value] : json.members()) {
    if (json.find(key) == &value)
      dict.items.emplace_back(Text(key, mark), from_json(value, mark));  // the last one counts
  }
  return dict;
}

const void* Value::identity() const {
  if (is_list()) return std::get<std::shared_ptr<const List>>(data_).get();
  return is_dict() ? std::get<std::shared_ptr<const Dict>>(data_).get() : nullptr;
}

std::int64_t Value::integer() const { return is_bool() ? std::get<bool>(data_) : std::get<std::int64_t>(data_); }

double Value::number() const { return is_float() ? std::get<double>(data_) : static_cast<double>(integer()); }

bool Value::truth() const {
  if (is_undefined() || is_none()) return false;
  if (is_float()) return number() != 0;
  if (is_number()) return integer() != 0;
  if (is_text()) return !text().empty();
  if (is_list()) return is_lazy() || !items().empty();
  if (is_dict()) return !dict().items.empty();
  return true;
}

std::string_view Value::type_name() const {
  constexpr std::string_view names[] = {"Undefined", "NoneType", "bool",      "int",      "float", "str",
                                        "list",      "dict",     "Namespace", "function", "object"};
  return is_tuple() ? "tuple" : is_lazy() ? "generator" : names[data_.index()];
}

bool Value::equals(const Value& other) const {
  if (is_number() && other.is_number()) {
    return is_float() || other.is_float() ? number() == other.number() : integer() == other.integer();
  }
  if (data_.index() != other.data_.index()) return false;
  if (is_text()) return text().view() == other.text().view();
  if (is_list()) {
    return is_tuple() == other.is_tuple() &&
           std::equal(items().begin(), items().end(), other.items().begin(), other.items().end(),
                      [](const Value& a, const Value& b) { return a.equals(b); });
  }
  if (is_dict()) {
    if (dict().items.size() != other.dict().items.size()) return false;
    return std::all_of(dict().items.begin(), dict().items.end(), [&](const auto& item) {
      const Value* value = other.dict().find(item.first);
      return value && item.second.equals(*value);
    });
  }
  if (is_namespace()) return &space() == &other.space();
  if (is_callable()) return &callable() == &other.callable();
  if (is_object()) return &object() == &other.object();
  return true;  // undefined, none
}

std::optional<int> Value::compare(const Value& other) const {
  const auto sign = [](const auto& a, const auto& b) { return a < b ? -1 : b < a ? 1 : 0; };
  if (is_number() && other.is_number()) {
    return is_float() || other.is_float() ? sign(number(), other.number()) : sign(integer(), other.integer());
  }
  if (is_text() && other.is_text()) return sign(text().view(), other.text().view());  // UTF-8 sorts as code points do
  if (is_list() && other.is_list() && is_tuple() == other.is_tuple()) {
    for (std::size_t i = 0; i < std::min(items().size(), other.items().size()); ++i) {
      if (items()[i].equals(other.items()[i])) continue;
      return items()[i].compare(other.items()[i]);
    }
    return sign(items().size(), other.items().size());
  }
  return std::nullopt;
}

}  // namespace attune::jinja
