#include "attune/columnar/json_text.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/data/bytes.h"

namespace attune::columnar {
namespace {

using arrow::Type;

constexpr int most_nesting = 100;

std::string metadata_of(const arrow::Field& field, const char* key) {
  return field.HasMetadata() ? field.metadata()->Get(key).ValueOr("") : "";
}

std::string base64(std::string_view bytes) {
  static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : letters[group >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

std::string uuid_text(std::string_view bytes) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += hex[static_cast<unsigned char>(bytes[i]) >> 4];
    text += hex[static_cast<unsigned char>(bytes[i]) & 15];
  }
  return text;
}

std::string digits(std::int64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

std::string date_text(std::int64_t days) {
  // Beyond the calendar of <chrono>, which has years of 16 bits.
  if (days < -12'000'000 || days > 11'000'000) throw DamagedStream{"a date beyond all calendars", "dates of our era"};
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  const int year = static_cast<int>(date.year());
  return (year < 0 ? "-" + digits(-year, 4) : digits(year, 4)) + '-' + digits(static_cast<unsigned>(date.month()), 2) +
         '-' + digits(static_cast<unsigned>(date.day()), 2);
}

std::int64_t units_a_second(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      return 1'000'000'000;
  }
  return 1;
}

// A time of the day, counted in units of which `units` are a second; the fraction with as many digits as the unit has.
std::string time_text(std::int64_t value, std::int64_t units) {
  const std::int64_t seconds = value / units;
  std::string text = digits(seconds / 3600, 2) + ':' + digits(seconds / 60 % 60, 2) + ':' + digits(seconds % 60, 2);
  if (units > 1) text += '.' + digits(value % units, std::to_string(units).size() - 1);
  return text;
}

std::string timestamp_text(std::int64_t value, const arrow::TimestampType& type) {
  const std::int64_t units = units_a_second(type.unit()), day = 86'400 * units;
  const std::int64_t days = value / day - (value % day < 0 ? 1 : 0);
  return date_text(days) + 'T' + time_text(value - days * day, units) + (type.timezone().empty() ? "" : "Z");
}

template <class Kind>
const auto& as(const arrow::Array& array) {
  return static_cast<const typename arrow::TypeTraits<Kind>::ArrayType&>(array);
}

// Fields inside of a type that become text, and whether the type as such can.
bool has_json_form(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::DURATION:
    case Type::INTERVAL_MONTHS:
    case Type::INTERVAL_DAY_TIME:
    case Type::INTERVAL_MONTH_DAY_NANO:
    case Type::SPARSE_UNION:
    case Type::DENSE_UNION:
    case Type::RUN_END_ENCODED:
    case Type::LIST_VIEW:
    case Type::LARGE_LIST_VIEW:
      return false;
    case Type::MAP: {
      const Type::type key = static_cast<const arrow::MapType&>(type).key_type()->id();
      return key == Type::STRING || key == Type::LARGE_STRING;
    }
    default:
      return true;
  }
}

}  // namespace

JsonText::JsonText(const arrow::Field& field, const std::string& path, const std::string& file, int depth)
    : key_(json_quote(field.name()) + ':'), path_(path), type_(field.type()) {
  std::string extension = metadata_of(field, extension_key);
  if (type_->id() == Type::EXTENSION) {
    const auto& outer = static_cast<const arrow::ExtensionType&>(*type_);
    extension = outer.extension_name();
    extension_ = true;
    type_ = outer.storage_type();
  }
  const bool text = type_->id() == Type::STRING || type_->id() == Type::LARGE_STRING;
  json_ = text && extension == json_extension;
  uuid_ = extension == "arrow.uuid" && type_->id() == Type::FIXED_SIZE_BINARY;
  null_is_absent_ = metadata_of(field, null_key) == "absent";
  if (!has_json_form(*type_) || depth > most_nesting) {
    throw DataError({.file = file, .field = path},
                    depth > most_nesting
                        ? "columns inside of columns more than " + std::to_string(most_nesting) + " deep"
                        : "a column of the type " + field.type()->ToString(),
                    "texts, numbers, booleans, dates, times, lists, structs, maps with text keys or dictionaries",
                    "leave the column out, or cast it to a text");
  }
  if (type_->id() == Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type_);
    inner_.emplace_back(*arrow::field("", dictionary.value_type()), path, file, depth + 1);
    return;
  }
  const bool map = type_->id() == Type::MAP;
  const arrow::DataType& holder = map ? *type_->field(0)->type() : *type_;
  for (const auto& inner : holder.fields()) {
    const bool named = type_->id() == Type::STRUCT;
    inner_.emplace_back(*inner, named ? path + '.' + inner->name() : path + (map ? "{}" : "[]"), file, depth + 1);
  }
}

bool JsonText::absent(const arrow::Array& array, std::int64_t index) const {
  return null_is_absent_ && array.IsNull(index);
}

void JsonText::append(const arrow::Array& array, std::int64_t index, std::string& out) const {
  if (array.IsNull(index) || type_->id() == Type::NA) {
    out += "null";
  } else if (extension_) {
    append_value(*static_cast<const arrow::ExtensionArray&>(array).storage(), index, out);
  } else {
    append_value(array, index, out);
  }
}

void JsonText::append_items(const arrow::Array& items, std::int64_t begin, std::int64_t end, std::string& out) const {
  out += '[';
  for (std::int64_t i = begin; i < end; ++i) {
    if (i > begin) out += ',';
    inner_[0].append(items, i, out);
  }
  out += ']';
}

void JsonText::append_value(const arrow::Array& array, std::int64_t index, std::string& out) const {
  switch (type_->id()) {
    case Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
      return inner_[0].append(*dictionary.dictionary(), dictionary.GetValueIndex(index), out);
    }
    case Type::LIST: {
      const auto& list = as<arrow::ListType>(array);
      return append_items(*list.values(), list.value_offset(index), list.value_offset(index + 1), out);
    }
    case Type::LARGE_LIST: {
      const auto& list = as<arrow::LargeListType>(array);
      return append_items(*list.values(), list.value_offset(index), list.value_offset(index + 1), out);
    }
    case Type::FIXED_SIZE_LIST: {
      const auto& list = as<arrow::FixedSizeListType>(array);
      const std::int64_t begin = list.value_offset(index);
      return append_items(*list.values(), begin, begin + list.value_length(), out);
    }
    case Type::STRUCT: {
      const auto& object = as<arrow::StructType>(array);
      bool first = true;
      out += '{';
      for (std::size_t i = 0; i < inner_.size(); ++i) {
        const auto& member = object.field(static_cast<int>(i));
        if (inner_[i].absent(*member, index)) continue;
        if (!std::exchange(first, false)) out += ',';
        out += inner_[i].key();
        inner_[i].append(*member, index, out);
      }
      out += '}';
      return;
    }
    case Type::MAP: {
      const auto& map = as<arrow::MapType>(array);
      out += '{';
      for (std::int64_t i = map.value_offset(index); i < map.value_offset(index + 1); ++i) {
        if (i > map.value_offset(index)) out += ',';
        inner_[0].append(*map.keys(), i, out);
        out += ':';
        inner_[1].append(*map.items(), i, out);
      }
      out += '}';
      return;
    }
    default:
      return append_scalar(array, index, out);
  }
}

void JsonText::append_scalar(const arrow::Array& array, std::int64_t index, std::string& out) const {
  const auto text = [&](std::string_view value) {
    if (!json_) {
      out += json_quote(value);
      return;
    }
    const std::size_t begin = out.size();
    out += value;
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), '\n', ' ');  // a blank, in valid JSON
  };
  const auto bytes = [&](std::string_view value) { out += json_quote(uuid_ ? uuid_text(value) : base64(value)); };
  const auto number = [&](auto value) { out += std::to_string(value); };
  const auto real = [&](double value, const std::string& spelling) {
    if (std::isinf(value)) throw DamagedStream{"an infinite number in the column " + path_, "finite numbers"};
    out += std::isnan(value) ? "null" : spelling;
  };
  const auto single = [&](float value) {  // as short as its own type allows: 0.1, not 0.10000000149011612
    char spelling[32];
    std::snprintf(spelling, sizeof spelling, "%.9g", static_cast<double>(value));
    for (int precision = 1; precision < 9; ++precision) {
      char shorter[32];
      std::snprintf(shorter, sizeof shorter, "%.*g", precision, static_cast<double>(value));
      if (std::strtof(shorter, nullptr) != value) continue;
      std::copy(std::begin(shorter), std::end(shorter), spelling);
      break;
    }
    real(static_cast<double>(value), format_double(std::strtod(spelling, nullptr)));
  };
  switch (type_->id()) {
    case Type::BOOL:
      out += as<arrow::BooleanType>(array).Value(index) ? "true" : "false";
      return;
    case Type::INT8:
      return number(as<arrow::Int8Type>(array).Value(index));
    case Type::INT16:
      return number(as<arrow::Int16Type>(array).Value(index));
    case Type::INT32:
      return number(as<arrow::Int32Type>(array).Value(index));
    case Type::INT64:
      return number(as<arrow::Int64Type>(array).Value(index));
    case Type::UINT8:
      return number(as<arrow::UInt8Type>(array).Value(index));
    case Type::UINT16:
      return number(as<arrow::UInt16Type>(array).Value(index));
    case Type::UINT32:
      return number(as<arrow::UInt32Type>(array).Value(index));
    case Type::UINT64:
      return number(as<arrow::UInt64Type>(array).Value(index));
    case Type::HALF_FLOAT:
      return single(arrow::util::Float16::FromBits(as<arrow::HalfFloatType>(array).Value(index)).ToFloat());
    case Type::FLOAT:
      return single(as<arrow::FloatType>(array).Value(index));
    case Type::DOUBLE: {
      const double value = as<arrow::DoubleType>(array).Value(index);
      return real(value, format_double(value));
    }
    case Type::DECIMAL32:
      out += as<arrow::Decimal32Type>(array).FormatValue(index);
      return;
    case Type::DECIMAL64:
      out += as<arrow::Decimal64Type>(array).FormatValue(index);
      return;
    case Type::DECIMAL128:
      out += as<arrow::Decimal128Type>(array).FormatValue(index);
      return;
    case Type::DECIMAL256:
      out += as<arrow::Decimal256Type>(array).FormatValue(index);
      return;
    case Type::STRING:
      return text(as<arrow::StringType>(array).GetView(index));
    case Type::LARGE_STRING:
      return text(as<arrow::LargeStringType>(array).GetView(index));
    case Type::STRING_VIEW:
      return text(as<arrow::StringViewType>(array).GetView(index));
    case Type::BINARY:
      return bytes(as<arrow::BinaryType>(array).GetView(index));
    case Type::LARGE_BINARY:
      return bytes(as<arrow::LargeBinaryType>(array).GetView(index));
    case Type::BINARY_VIEW:
      return bytes(as<arrow::BinaryViewType>(array).GetView(index));
    case Type::FIXED_SIZE_BINARY:
      return bytes(as<arrow::FixedSizeBinaryType>(array).GetView(index));
    case Type::DATE32:
      out += json_quote(date_text(as<arrow::Date32Type>(array).Value(index)));
      return;
    case Type::DATE64: {
      const std::int64_t value = as<arrow::Date64Type>(array).Value(index), day = 86'400'000;
      out += json_quote(date_text(value / day - (value % day < 0 ? 1 : 0)));
      return;
    }
    case Type::TIME32:
      out += json_quote(time_text(as<arrow::Time32Type>(array).Value(index),
                                  units_a_second(static_cast<const arrow::Time32Type&>(*type_).unit())));
      return;
    case Type::TIME64:
      out += json_quote(time_text(as<arrow::Time64Type>(array).Value(index),
                                  units_a_second(static_cast<const arrow::Time64Type&>(*type_).unit())));
      return;
    case Type::TIMESTAMP:
      out += json_quote(timestamp_text(as<arrow::TimestampType>(array).Value(index),
                                       static_cast<const arrow::TimestampType&>(*type_)));
      return;
    default:
      throw InternalError({.field = path_}, "a column type that was let through: " + type_->ToString());
  }
}

}  // namespace attune::columnar
