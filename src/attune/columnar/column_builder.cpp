#include "attune/columnar/column_builder.h"

#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <charconv>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/columnar/json_text.h"
#include "attune/data/raw_json.h"

namespace attune::columnar {
namespace {

void check(const arrow::Status& status) { require(status.ok(), "a column that cannot be built"); }

std::shared_ptr<arrow::DataType> type_of(const Shape& shape);

// An item of a list: a null there is a null.
std::shared_ptr<arrow::Field> item_field(const Shape& item) {
  auto field = arrow::field("element", type_of(item));
  if (item.kind() != Shape::Kind::json) return field;
  return field->WithMetadata(arrow::key_value_metadata({extension_key}, {json_extension}));
}

arrow::FieldVector fields_of(const Shape& object) {
  arrow::FieldVector fields;
  for (const auto& [name, member] : object.members()) {
    const bool json = object.is_json_member(*member);
    std::vector<std::string> keys, values;
    if (json) {
      keys.emplace_back(extension_key);
      values.emplace_back(json_extension);
    }
    if (object.sometimes_missing(*member)) {
      keys.emplace_back(null_key);
      values.emplace_back("absent");
    }
    auto field = arrow::field(name, json ? arrow::utf8() : type_of(*member));
    fields.push_back(keys.empty() ? field : field->WithMetadata(arrow::key_value_metadata(keys, values)));
  }
  return fields;
}

std::shared_ptr<arrow::DataType> type_of(const Shape& shape) {
  switch (shape.kind()) {
    case Shape::Kind::nothing:
      return arrow::null();
    case Shape::Kind::boolean:
      return arrow::boolean();
    case Shape::Kind::integer:
      return arrow::int64();
    case Shape::Kind::real:
      return arrow::float64();
    case Shape::Kind::list:
      return arrow::list(item_field(shape.item()));
    case Shape::Kind::object:
      return arrow::struct_(fields_of(shape));
    case Shape::Kind::text:
    case Shape::Kind::json:
      return arrow::utf8();
  }
  return arrow::null();
}

template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void append_object(std::string_view value, const Shape& shape, arrow::StructBuilder& builder);

void append(std::string_view value, const Shape& shape, bool json, arrow::ArrayBuilder& builder) {
  // A null in JSON text is text, so that it differs from what is not there.
  if (json) return check(static_cast<arrow::StringBuilder&>(builder).Append(value));
  if (value.front() == 'n') return check(builder.AppendNull());
  switch (shape.kind()) {
    case Shape::Kind::nothing:
    case Shape::Kind::json:
      return check(builder.AppendNull());
    case Shape::Kind::boolean:
      return check(static_cast<arrow::BooleanBuilder&>(builder).Append(value == "true"));
    case Shape::Kind::integer:
      return check(static_cast<arrow::Int64Builder&>(builder).Append(number_of<std::int64_t>(value)));
    case Shape::Kind::real:
      return check(static_cast<arrow::DoubleBuilder&>(builder).Append(number_of<double>(value)));
    case Shape::Kind::text:
      return check(static_cast<arrow::StringBuilder&>(builder).Append(Json::parse(value).string()));
    case Shape::Kind::list: {
      auto& list = static_cast<arrow::ListBuilder&>(builder);
      check(list.Append());
      const bool json_items = shape.item().kind() == Shape::Kind::json;
      for (const std::string_view item : raw_items(value)) {
        append(item, shape.item(), json_items, *list.value_builder());
      }
      return;
    }
    case Shape::Kind::object:
      return append_object(value, shape, static_cast<arrow::StructBuilder&>(builder));
  }
}

void append_object(std::string_view value, const Shape& shape, arrow::StructBuilder& builder) {
  check(builder.Append());
  const std::vector<RawMember> members = raw_members(value);
  for (std::size_t i = 0; i < shape.members().size(); ++i) {
    const auto& [name, member] = shape.members()[i];
    arrow::ArrayBuilder& column = *builder.field_builder(static_cast<int>(i));
    // Rows mostly have their members in the order of the columns.
    const RawMember* found = i < members.size() && members[i].key == name ? &members[i] : nullptr;
    for (auto at = members.rbegin(); found == nullptr && at != members.rend(); ++at) {
      if (at->key == name) found = &*at;
    }
    if (found == nullptr) {
      check(column.AppendNull());
    } else {
      append(found->value, *member, shape.is_json_member(*member), column);
    }
  }
}

}  // namespace

std::shared_ptr<arrow::Schema> schema_of(const Shape& rows) { return arrow::schema(fields_of(rows)); }

void append_row(std::string_view row, const Shape& rows, arrow::StructBuilder& builder) {
  append_object(row, rows, builder);
}

}  // namespace attune::columnar
