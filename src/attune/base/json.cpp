#include "attune/base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "attune/base/errors.h"

namespace attune {
namespace {

Json convert(const simdjson::dom::element& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::NULL_VALUE:
      return {};
    case element_type::BOOL:
      return bool(element);
    case element_type::INT64:
      return std::int64_t(element);
    case element_type::UINT64:
      return static_cast<double>(std::uint64_t(element));
    case element_type::DOUBLE:
      return double(element);
    case element_type::STRING:
      return std::string_view(element);
    case element_type::ARRAY: {
      const simdjson::dom::array array = element;
      Json::Array items;
      items.reserve(array.size());
      for (const auto item : array) items.push_back(convert(item));
      return items;
    }
    case element_type::OBJECT: {
      const simdjson::dom::object object = element;
      Json result = Json::object();
      result.members().reserve(object.size());
      for (const auto& [key, value] : object) result.members().emplace_back(std::string(key), convert(value));
      return result;
    }
  }
  return {};
}

void write(const Json& value, int indent, int depth, std::string& out) {
  const auto new_line = [&](int level) {
    if (indent < 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent * level), ' ');
  };
  switch (value.type()) {
    case Json::Type::null:
      out += "null";
      return;
    case Json::Type::boolean:
      out += value.boolean() ? "true" : "false";
      return;
    case Json::Type::integer:
      out += std::to_string(value.integer());
      return;
    case Json::Type::number:
      out += std::isfinite(value.number()) ? format_double(value.number()) : "null";
      return;
    case Json::Type::string:
      out += json_quote(value.string());
      return;
    case Json::Type::array: {
      out += '[';
      bool first = true;
      for (const Json& item : value.items()) {
        if (!std::exchange(first, false)) out += indent < 0 ? "," : ",";
        new_line(depth + 1);
        write(item, indent, depth + 1, out);
      }
      if (!first) new_line(depth);
      out += ']';
      return;
    }
    case Json::Type::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, member] : value.members()) {
        if (!std::exchange(first, false)) out += ',';
        new_line(depth + 1);
        out += json_quote(key);
        out += indent < 0 ? ":" : ": ";
        write(member, indent, depth + 1, out);
      }
      if (!first) new_line(depth);
      out += '}';
      return;
    }
  }
}

// simdjson refuses integers beyond 64 bits; Python writes them (a tokenizer's model_max_length of 10^30). Gives the
// text with an exponent behind each of those, so that they are read as doubles.
std::string with_big_integers_as_doubles(std::string_view text) {
  constexpr std::size_t digits_that_always_fit = 18;
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string || !(c >= '0' && c <= '9')) {
      if (in_string && c == '\\' && i + 1 < text.size()) out += text[i++];
      if (c == '"') in_string = !in_string;
      out += text[i++];
      continue;
    }
    std::size_t end = text.find_first_not_of("0123456789", i);
    end = std::min(end, text.size());
    const bool fraction_or_exponent =
        !out.empty() && std::string_view(".eE+").find(out.back()) != std::string_view::npos;
    const bool integer = end == text.size() || std::string_view(".eE").find(text[end]) == std::string_view::npos;
    out.append(text.substr(i, end - i));
    if (integer && !fraction_or_exponent && end - i > digits_that_always_fit) out += "e0";
    i = end;
  }
  return out;
}

}  // namespace

Json Json::object(std::initializer_list<Member> members) {
  Json result = object();
  result.members().assign(members);
  return result;
}

namespace {

// The calling thread's parser, ready for `size` bytes. Its buffers (some 15 times the text) are kept from one text to
// the next, but not those of a large text for small ones.
simdjson::dom::parser& parser_for(std::size_t size) {
  constexpr std::size_t smallest = std::size_t{1} << 16, most_depth = 1000;
  thread_local simdjson::dom::parser parser;
  const bool wasteful = parser.capacity() > 16 * std::max(size, smallest);
  if (parser.capacity() < size || parser.capacity() == 0 || wasteful) {
    const auto error = parser.allocate(std::max(size + size / 2, smallest), most_depth);
    if (error != simdjson::SUCCESS) throw JsonSyntaxError{simdjson::error_message(error)};
  }
  return parser;
}

// Valid until the thread parses again.
simdjson::dom::element parsed(std::string_view text) {
  simdjson::dom::element root;
  auto error = parser_for(text.size()).parse(text.data(), text.size()).get(root);
  if (error == simdjson::NUMBER_ERROR) {
    const std::string rewritten = with_big_integers_as_doubles(text);
    error = parser_for(rewritten.size()).parse(rewritten.data(), rewritten.size()).get(root);
  }
  if (error != simdjson::SUCCESS) throw JsonSyntaxError{simdjson::error_message(error)};
  return root;
}

Json::Type type_of(const simdjson::dom::element& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::NULL_VALUE:
      return Json::Type::null;
    case element_type::BOOL:
      return Json::Type::boolean;
    case element_type::INT64:
      return Json::Type::integer;
    case element_type::UINT64:
    case element_type::DOUBLE:
      return Json::Type::number;
    case element_type::STRING:
      return Json::Type::string;
    case element_type::ARRAY:
      return Json::Type::array;
    case element_type::OBJECT:
      return Json::Type::object;
  }
  return Json::Type::null;
}

}  // namespace

Json Json::parse(std::string_view text) { return convert(parsed(text)); }

Json::Type visit_members(std::string_view text, const std::function<void(const JsonMember&)>& visit) {
  const simdjson::dom::element root = parsed(text);
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return type_of(root);
  for (const auto& [key, value] : object) {
    std::string_view string;
    if (value.is_string()) string = std::string_view(value);
    visit({key, type_of(value), string});
  }
  return Json::Type::object;
}

std::string_view Json::type_name() const {
  switch (type()) {
    case Type::null:
      return "null";
    case Type::boolean:
      return "a boolean";
    case Type::integer:
      return "an integer";
    case Type::number:
      return "a number";
    case Type::string:
      return "a string";
    case Type::array:
      return "a list";
    case Type::object:
      return "an object";
  }
  return "";
}

bool Json::boolean() const {
  require(is_bool(), "Json::boolean of another type");
  return std::get<bool>(value_);
}
std::int64_t Json::integer() const {
  require(is_integer(), "Json::integer of another type");
  return std::get<std::int64_t>(value_);
}
double Json::number() const {
  require(is_number(), "Json::number of another type");
  return is_integer() ? static_cast<double>(std::get<std::int64_t>(value_)) : std::get<double>(value_);
}
const std::string& Json::string() const {
  require(is_string(), "Json::string of another type");
  return std::get<std::string>(value_);
}
const Json::Array& Json::items() const {
  require(is_array(), "Json::items of another type");
  return std::get<Array>(value_);
}
Json::Array& Json::items() {
  require(is_array(), "Json::items of another type");
  return std::get<Array>(value_);
}
const Json::Object& Json::members() const {
  require(is_object(), "Json::members of another type");
  return std::get<Object>(value_);
}
Json::Object& Json::members() {
  require(is_object(), "Json::members of another type");
  return std::get<Object>(value_);
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const Object& object = std::get<Object>(value_);
  for (auto member = object.rbegin(); member != object.rend(); ++member) {
    if (member->first == key) return &member->second;
  }
  return nullptr;
}

Json& Json::set(std::string_view key, Json value) {
  if (const Json* old = find(key)) {
    Json& place = const_cast<Json&>(*old);
    place = std::move(value);
    return place;
  }
  members().emplace_back(std::string(key), std::move(value));
  return members().back().second;
}

void Json::push_back(Json value) { items().push_back(std::move(value)); }
std::size_t Json::size() const { return is_array() ? items().size() : members().size(); }

std::string Json::str(int indent) const {
  std::string out;
  write(*this, indent, 0, out);
  return out;
}

std::string json_quote(std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += hex[static_cast<unsigned char>(c) >> 4];
          out += hex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
  return out;
}

std::string format_double(double value) {
  char buffer[40];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, result.ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

bool valid_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace attune
