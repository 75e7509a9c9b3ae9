// One JSON value: what readers return, what templates see, what commands answer. Object keys keep their order.
//
// Parsing is simdjson's (strict RFC 8259 and UTF-8, depth at most 1,000); this type only owns the result, so that no
// other file includes a JSON library.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace attune {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;
  enum class Type { null, boolean, integer, number, string, array, object };

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(std::int64_t value) : value_(value) {}
  Json(std::size_t value) : value_(static_cast<std::int64_t>(value)) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  static Json array() { return Json(Array{}); }
  static Json object() { return Json(ObjectTag{}); }
  static Json object(std::initializer_list<Member> members);

  // Throws JsonSyntaxError. Duplicate keys are kept, in order; find() returns the last of them, as Python does.
  static Json parse(std::string_view text);

  Type type() const { return static_cast<Type>(value_.index()); }
  bool is_null() const { return type() == Type::null; }
  bool is_bool() const { return type() == Type::boolean; }
  bool is_integer() const { return type() == Type::integer; }
  bool is_number() const { return is_integer() || type() == Type::number; }
  bool is_string() const { return type() == Type::string; }
  bool is_array() const { return type() == Type::array; }
  bool is_object() const { return type() == Type::object; }
  std::string_view type_name() const;  // "a string", "an object", ... for messages

  // Each throws InternalError on another type: check first, input decides.
  bool boolean() const;
  std::int64_t integer() const;
  double number() const;  // integers too
  const std::string& string() const;
  const Array& items() const;
  Array& items();
  const Object& members() const;
  Object& members();

  const Json* find(std::string_view key) const;  // nullptr when absent, or when this is no object
  Json& set(std::string_view key, Json value);   // replaces the last of that key or appends; the value's place
  void push_back(Json value);
  std::size_t size() const;  // of an array or object

  // Compact by default; indent >= 0 gives one member a line. Floats in their shortest exact form; NaN and infinite as
  // null. Text stays UTF-8 (no \u escapes beyond control characters).
  std::string str(int indent = -1) const;

  bool operator==(const Json&) const = default;  // objects compare with their order

 private:
  struct ObjectTag {};
  explicit Json(ObjectTag) : value_(Object{}) {}
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

// A member of an object as it is seen in passing.
struct JsonMember {
  std::string_view key = {};
  Json::Type type = Json::Type::null;
  std::string_view string = {};  // of type string: its value, unescaped
};

// Parses a text as Json::parse does, but only shows the members of its object, in order, and builds nothing. Returns
// the type of the text, which has no members unless it is an object. Throws JsonSyntaxError before anything is shown.
Json::Type visit_members(std::string_view text, const std::function<void(const JsonMember&)>& visit);

// Why a text is no JSON. `offset` is in bytes, 0 when the parser does not tell.
struct JsonSyntaxError {
  std::string reason;
};

std::string json_quote(std::string_view text);  // with the quotes
std::string format_double(double value);        // shortest text that reads back equal; "1.0" for 1
bool valid_utf8(std::string_view text);

}  // namespace attune
