// Values of a template run, with Python's meaning: truth, equality, order, str() and repr().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "attune/base/json.h"
#include "attune/text/jinja/text.h"

namespace attune::jinja {

class Interpreter;
class Value;
struct Arguments;

struct List {
  std::vector<Value> items = {};
  bool tuple = false;
  bool lazy = false;  // what map, select and their like make: always true, without a length. (Unlike Python's
                      // generators it can be walked twice, and tojson takes it.)
};

// Keys keep their order. Equal keys are equal values (1 and true are one key).
struct Dict {
  std::vector<std::pair<Value, Value>> items = {};
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  void set(Value key, Value value);
};

struct Namespace {
  Dict fields = {};
};

// Macros, global functions, methods: whatever may stand before parentheses.
struct Callable {
  std::string name = {};
  std::function<Value(Interpreter&, Arguments&)> call = {};
};

// What `loop` and other objects without items show of themselves: looked up by name.
struct Object {
  virtual ~Object() = default;
  virtual std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) = 0;
};

// A name or attribute that is not there: prints as nothing, is false, and fails when more is asked of it.
struct Undefined {
  std::string what = {};  // "'name' is undefined"
};
struct None {};

class Value {
 public:
  Value() : data_(Undefined{}) {}
  Value(Undefined undefined) : data_(std::move(undefined)) {}
  Value(None none) : data_(none) {}
  Value(bool value) : data_(value) {}
  Value(std::int64_t value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(std::size_t value) : data_(static_cast<std::int64_t>(value)) {}
  Value(double value) : data_(value) {}
  Value(Text text) : data_(std::make_shared<const Text>(std::move(text))) {}
  Value(std::string text) : Value(Text(std::move(text))) {}
  Value(std::string_view text) : Value(Text(std::string(text))) {}
  Value(const char* text) : Value(Text(text)) {}
  Value(List list) : data_(std::make_shared<const List>(std::move(list))) {}
  Value(Dict dict) : data_(std::make_shared<const Dict>(std::move(dict))) {}
  Value(std::shared_ptr<Namespace> space) : data_(std::move(space)) {}
  Value(std::shared_ptr<const Callable> callable) : data_(std::move(callable)) {}
  Value(std::shared_ptr<Object> object) : data_(std::move(object)) {}

  // Strings in it carry `mark`.
  static Value from_json(const Json& json, Mark mark);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_float() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_bool() || is_integer() || is_float(); }
  bool is_text() const { return std::holds_alternative<std::shared_ptr<const Text>>(data_); }
  bool is_list() const { return std::holds_alternative<std::shared_ptr<const List>>(data_); }
  bool is_dict() const { return std::holds_alternative<std::shared_ptr<const Dict>>(data_); }
  bool is_namespace() const { return std::holds_alternative<std::shared_ptr<Namespace>>(data_); }
  bool is_callable() const { return std::holds_alternative<std::shared_ptr<const Callable>>(data_); }
  bool is_object() const { return std::holds_alternative<std::shared_ptr<Object>>(data_); }

  // The caller has asked what it is.
  const Undefined& undefined() const { return std::get<Undefined>(data_); }
  const Text& text() const { return *std::get<std::shared_ptr<const Text>>(data_); }
  const std::vector<Value>& items() const { return std::get<std::shared_ptr<const List>>(data_)->items; }
  bool is_tuple() const { return is_list() && std::get<std::shared_ptr<const List>>(data_)->tuple; }
  bool is_lazy() const { return is_list() && std::get<std::shared_ptr<const List>>(data_)->lazy; }
  const Dict& dict() const { return *std::get<std::shared_ptr<const Dict>>(data_); }
  Namespace& space() const { return *std::get<std::shared_ptr<Namespace>>(data_); }
  const Callable& callable() const { return *std::get<std::shared_ptr<const Callable>>(data_); }
  Object& object() const { return *std::get<std::shared_ptr<Object>>(data_); }
  const void* identity() const;  // of a list or dict: equal for copies of one value

  std::int64_t integer() const;  // of an integer or boolean
  double number() const;         // of any number

  bool truth() const;
  std::string_view type_name() const;  // as Python calls it
  bool equals(const Value& other) const;
  // Negative, 0, positive; nothing when Python cannot order the two.
  std::optional<int> compare(const Value& other) const;

 private:
  std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const Text>, std::shared_ptr<const List>,
               std::shared_ptr<const Dict>, std::shared_ptr<Namespace>, std::shared_ptr<const Callable>,
               std::shared_ptr<Object>>
      data_;
};

struct Arguments {
  std::vector<Value> positional = {};
  std::vector<std::pair<std::string, Value>> named = {};
};

Text str(const Value& value);          // Python's str(), marks kept
Text repr(const Value& value);         // Python's repr()
std::string float_repr(double value);  // 1.0, 1e+16, inf

struct JsonStyle {
  int indent = -1;  // below 0: one line
  std::string item_separator = ", ", key_separator = ": ";
  bool ensure_ascii = false, sort_keys = false;
};
// json.dumps(); nothing for values that are no JSON.
std::optional<Text> json_dumps(const Value& value, const JsonStyle& style);

}  // namespace attune::jinja
