#include "attune/data/formats/two_way.h"

#include <algorithm>

#include "attune/data/formats/columns.h"

namespace attune::formats {
namespace {

// Equal up to the order of nested members.
bool same(const Json& a, const Json& b) {
  if (a.type() != b.type()) return false;
  if (a.is_array()) {
    return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), same);
  }
  if (!a.is_object()) return a == b;
  if (a.size() != b.size()) return false;
  return std::all_of(a.members().begin(), a.members().end(), [&](const auto& member) {
    const Json* other = b.find(member.first);
    return other != nullptr && same(member.second, *other);
  });
}

Shape outer(Shape shape) { return shape == Shape::texts || shape == Shape::objects ? Shape::list : shape; }

std::string_view words_for(Shape shape) {
  switch (shape) {
    case Shape::any:
      break;
    case Shape::text:
      return "a string";
    case Shape::integer:
      return "an integer";
    case Shape::number:
      return "a number";
    case Shape::boolean:
      return "true or false";
    case Shape::list:
      return "a list";
    case Shape::object:
      return "an object";
    case Shape::texts:
      return "a list of strings";
    case Shape::objects:
      return "a list of objects";
  }
  return "a value";
}

bool comes_back(const Json& value, std::string_view raw, const Json* again) {
  if (again == nullptr) return false;
  return value.is_number() ? again->str() == raw : same(value, *again);
}

}  // namespace

bool has_shape(const Json& value, Shape shape) {
  const auto all = [&](Json::Type type) {
    return value.is_array() && std::all_of(value.items().begin(), value.items().end(),
                                           [&](const Json& item) { return item.type() == type; });
  };
  switch (shape) {
    case Shape::any:
      return true;
    case Shape::text:
      return value.is_string();
    case Shape::integer:
      return value.is_integer();
    case Shape::number:
      return value.is_number();
    case Shape::boolean:
      return value.is_bool();
    case Shape::list:
      return value.is_array();
    case Shape::object:
      return value.is_object();
    case Shape::texts:
      return all(Json::Type::string);
    case Shape::objects:
      return all(Json::Type::object);
  }
  return false;
}

// Whether every column that makes a row one of this format travels unparsed, because the map cannot say this record.
bool TwoWayFormat::travels_whole(const Record& record, const Json& layout) const {
  if (layout.size() == 0) return false;
  const Json extra = record.extra_json.empty() ? Json::object() : Json::parse(record.extra_json);
  return std::all_of(signs_.begin(), signs_.end(), [&](const Sign& sign) { return extra.find(sign.key) != nullptr; });
}

double TwoWayFormat::recognises(const Row& row) const {
  for (const Sign& sign : signs_) {
    const Json* value = row.value.find(sign.key);
    if (value == nullptr || !(has_shape(*value, sign.shape))) return 0;
  }
  return 1 - 0.08 / static_cast<double>(signs_.size());
}

std::string TwoWayFormat::columns() const {
  std::string text;
  for (const Sign& sign : signs_) text += (text.empty() ? "" : ", ") + std::string(sign.key);
  return text;
}

std::optional<Record> TwoWayFormat::read(const Row& row, RowContext& context) const {
  for (const Sign& sign : signs_) {
    const Json* value = row.value.find(sign.key);
    if (value == nullptr) {
      context.fail(std::string(sign.key), "no such column", columns());
    } else if (!has_shape(*value, outer(sign.shape))) {  // what lists hold, the map names item by item
      context.fail_type(std::string(sign.key), *value, std::string(words_for(sign.shape)));
    }
  }
  if (context.failed()) return std::nullopt;
  Record record;
  Entry entry(row.value, "", context);
  Draft draft(record, context);
  map_(entry, draft);
  if (context.failed()) return std::nullopt;

  Columns columns(row, context);
  Entry again;
  Draft back(record, context.builder().dataset());
  map_(again, back);
  const Json written = again.finish();
  for (const RawMember& column : row.columns) {
    if (!back.possible()) break;
    if (comes_back(*row.value.find(column.key), column.value, written.find(column.key))) columns.take(column.key);
  }
  Json absent = Json::array();  // what writing would add, because it follows from the rest
  for (const auto& [key, value] : written.members()) {
    if (row.value.find(key) == nullptr) absent.push_back(key);
  }
  const Json dialect = absent.size() > 0 ? Json::object({{"absent", std::move(absent)}}) : Json::object();
  draft.identified() ? columns.finish_identified(record, dialect) : columns.finish(record, dialect);
  if (context.failed()) return std::nullopt;
  return record;
}

std::vector<std::string> TwoWayFormat::write(const Record& record, const Dataset& dataset) const {
  Entry entry;
  Draft draft(record, dataset);
  map_(entry, draft);
  const Json layout = layout_of(record, dataset, name_);
  RowText row;
  if (draft.possible()) {
    const Json written = entry.finish();
    const Json* absent = layout.find("absent");
    for (const auto& [key, value] : written.members()) {
      const bool left_out =
          absent != nullptr && absent->is_array() &&
          std::find(absent->items().begin(), absent->items().end(), Json(key)) != absent->items().end();
      if (!left_out) row.set(key, value.str());
    }
  } else if (!travels_whole(record, layout)) {
    return {};
  }
  return {draft.identified() ? row.finish_identified(record, layout) : row.finish(record, layout)};
}

}  // namespace attune::formats
