// What templates may use: filters (x | f), tests (x is t), methods of Python's str, list and dict, global functions.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "attune/text/jinja/value.h"

namespace attune::jinja {

bool is_filter(std::string_view name);
bool is_test(std::string_view name);
std::span<const std::string_view> filter_names();
std::span<const std::string_view> test_names();

// `name` is a known one. Both report wrong arguments through interpreter.fail().
Value apply_filter(Interpreter& interpreter, std::string_view name, const Value& value, Arguments& arguments);
bool apply_test(Interpreter& interpreter, std::string_view name, const Value& value, Arguments& arguments);

// A bound method, or nothing. Methods that change their object are refused when called, as in jinja2's immutable
// sandbox.
std::optional<Value> method(const Value& self, std::string_view name);

// range, namespace, dict, raise_exception, strftime_now, cycler, joiner; or nothing.
std::optional<Value> global(std::string_view name);

// Reads the arguments of one call: take() in the order of the parameters, then done().
class ArgumentReader {
 public:
  ArgumentReader(Interpreter& interpreter, std::string_view callee, Arguments& arguments)
      : interpreter_(interpreter), callee_(callee), arguments_(arguments) {}

  Value required(std::string_view parameter);
  Value optional(std::string_view parameter, Value otherwise);
  std::int64_t integer(std::string_view parameter, std::int64_t otherwise);
  void done();  // nothing may be left

 private:
  std::optional<Value> take(std::string_view parameter);

  Interpreter& interpreter_;
  std::string_view callee_;
  Arguments& arguments_;
  std::size_t positional_ = 0, named_ = 0;
};

}  // namespace attune::jinja
