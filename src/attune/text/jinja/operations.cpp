// Python's operations on values: looking things up, comparing, calculating.
#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/text/jinja/builtins.h"
#include "attune/text/jinja/format.h"
#include "attune/text/jinja/interpreter.h"
#include "attune/text/unicode.h"

namespace attune::jinja {
namespace {

std::string kind(const Value& value) {
  return value.is_undefined() ? "something that is not there (" + value.undefined().what + ")"
                              : std::string(value.type_name());
}

// Byte places where characters begin, and the end.
std::vector<std::size_t> character_places(std::string_view text) {
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < text.size(); at += code_point_at(text, at).size) places.push_back(at);
  places.push_back(text.size());
  return places;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Floor division and the remainder with the divisor's sign.
std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? quotient - 1 : quotient;
}

double float_modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

}  // namespace

Value Interpreter::attribute(const Value& object, std::string_view name) {
  if (object.is_undefined()) fail("an attribute of something that is not there: " + object.undefined().what);
  if (object.is_object()) {
    if (auto value = object.object().attribute(*this, name)) return *value;
  } else if (object.is_namespace()) {
    if (const Value* value = object.space().fields.find(name)) return *value;
  } else if (object.is_callable()) {
    if (name == "name") return Value(object.callable().name);
  } else {
    if (auto bound = method(object, name)) return *bound;
    if (object.is_dict()) {
      spend(static_cast<std::int64_t>(object.dict().items.size() / 16));
      if (const Value* value = object.dict().find(name)) return *value;
    }
  }
  return Undefined{"'" + std::string(object.type_name()) + " object' has no attribute '" + std::string(name) + "'"};
}

Value Interpreter::item(const Value& object, const Value& key) {
  if (object.is_undefined()) fail("an item of something that is not there: " + object.undefined().what);
  if (object.is_dict()) {
    spend(static_cast<std::int64_t>(object.dict().items.size() / 16));
    if (const Value* value = object.dict().find(key)) return *value;
  } else if (((object.is_list() && !object.is_lazy()) || object.is_text()) && (key.is_integer() || key.is_bool())) {
    const std::int64_t size = length(object);
    const std::int64_t index = key.integer() < 0 ? key.integer() + size : key.integer();
    if (index >= 0 && index < size) {
      if (object.is_list()) return object.items()[static_cast<std::size_t>(index)];
      const Text& text = object.text();
      const auto at = static_cast<std::size_t>(index);
      if (is_ascii(text.view())) return text.slice(at, at + 1);
      const auto places = character_places(text.view());
      return text.slice(places[at], places[at + 1]);
    }
    return Undefined{std::string(object.type_name()) + " object has no element " + std::to_string(key.integer())};
  }
  if (key.is_text()) return attribute(object, key.text().view());
  return Undefined{std::string(object.type_name()) + " object has no such element"};
}

Value Interpreter::evaluate_slice(const Expression& expression) {
  const Value object = evaluate(*expression.operands[0]);
  Value bounds[3];
  for (std::size_t i = 0; i < 3; ++i) {
    bounds[i] = expression.operands[i + 1] ? evaluate(*expression.operands[i + 1]) : Value(None{});
    if (!bounds[i].is_none() && !bounds[i].is_integer() && !bounds[i].is_bool())
      fail("a slice with " + kind(bounds[i]), "integers");
  }
  position_ = expression.position;
  if (!object.is_list() && !object.is_text()) fail("a slice of " + kind(object), "a list or text");
  const std::int64_t step = bounds[2].is_none() ? 1 : bounds[2].integer();
  if (step == 0) fail("a slice with step 0");
  const bool is_text = object.is_text();
  const auto places = is_text ? character_places(object.text().view()) : std::vector<std::size_t>();
  const auto size = static_cast<std::int64_t>(is_text ? places.size() - 1 : object.items().size());
  spend(size / 16);
  const auto bound = [&](const Value& value, std::int64_t otherwise) {
    if (value.is_none()) return otherwise;
    const std::int64_t at = value.integer() < 0 ? value.integer() + size : value.integer();
    return step > 0 ? std::clamp<std::int64_t>(at, 0, size) : std::clamp<std::int64_t>(at, -1, size - 1);
  };
  const std::int64_t begin = bound(bounds[0], step > 0 ? 0 : size - 1), end = bound(bounds[1], step > 0 ? size : -1);
  if (is_text && step == 1) {
    const auto from = static_cast<std::size_t>(begin), to = static_cast<std::size_t>(std::max(begin, end));
    return made(object.text().slice(places[from], places[to]));
  }
  Text text;
  List list;
  list.tuple = object.is_tuple();
  const std::int64_t stride = std::clamp<std::int64_t>(step, -size - 1, size + 1);  // one step leaves the list anyway
  for (std::int64_t i = begin; step > 0 ? i < end : i > end; i += stride) {
    const auto at = static_cast<std::size_t>(i);
    if (is_text) {
      text.append(object.text(), places[at], places[at + 1]);
    } else {
      list.items.push_back(object.items()[at]);
    }
  }
  return is_text ? Value(made(std::move(text))) : Value(std::move(list));
}

std::vector<Value> Interpreter::iterate(const Value& value) {
  std::vector<Value> items;
  if (value.is_list()) {
    items = value.items();
  } else if (value.is_dict()) {
    for (const auto& item : value.dict().items) items.push_back(item.first);
  } else if (value.is_text()) {
    const auto places = character_places(value.text().view());
    for (std::size_t i = 0; i + 1 < places.size(); ++i)
      items.emplace_back(value.text().slice(places[i], places[i + 1]));
  } else if (!value.is_undefined()) {
    fail("a " + kind(value) + " where items are needed", "a list, an object or text");
  }
  spend(static_cast<std::int64_t>(items.size()));
  return items;
}

std::int64_t Interpreter::length(const Value& value) {
  if (value.is_text()) {
    spend(static_cast<std::int64_t>(value.text().size() / 256));
    return static_cast<std::int64_t>(code_point_count(value.text().view()));
  }
  if (value.is_list() && !value.is_lazy()) return static_cast<std::int64_t>(value.items().size());
  if (value.is_dict()) return static_cast<std::int64_t>(value.dict().items.size());
  if (value.is_undefined()) return 0;
  fail("the length of " + kind(value), "of a list, an object or text");
}

bool Interpreter::contains(const Value& container, const Value& item) {
  if (container.is_text()) {
    if (!item.is_text()) fail("a search for " + kind(item) + " in text", "for text");
    spend(static_cast<std::int64_t>(container.text().size() / 256));
    return container.text().view().find(item.text().view()) != std::string_view::npos;
  }
  if (container.is_undefined()) return false;
  if (!container.is_list() && !container.is_dict())
    fail("a search in " + kind(container), "in a list, an object or text");
  spend(
      static_cast<std::int64_t>((container.is_dict() ? container.dict().items.size() : container.items().size()) / 16));
  if (container.is_dict()) return container.dict().find(item) != nullptr;
  return std::any_of(container.items().begin(), container.items().end(),
                     [&](const Value& one) { return one.equals(item); });
}

int Interpreter::compare(const Value& a, const Value& b, std::string_view what) {
  const auto order = a.compare(b);
  if (!order) fail("'" + std::string(what) + "' between " + kind(a) + " and " + kind(b));
  return *order;
}

Value Interpreter::negative(const Value& value) {
  if (!value.is_number()) fail("a minus before " + kind(value));
  if (value.is_float()) return -value.number();
  if (value.integer() == std::numeric_limits<std::int64_t>::min()) fail("an integer beyond 64 bits");
  return -value.integer();
}

namespace {

// Integer arithmetic; nothing beyond 64 bits.
std::optional<Value> integer_arithmetic(std::string_view operation, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (operation == "+") return __builtin_add_overflow(a, b, &result) ? std::nullopt : std::optional<Value>(result);
  if (operation == "-") return __builtin_sub_overflow(a, b, &result) ? std::nullopt : std::optional<Value>(result);
  if (operation == "*") return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional<Value>(result);
  if (operation == "/") return Value(static_cast<double>(a) / static_cast<double>(b));
  if (operation == "//" || operation == "%") {
    if (b == -1) return operation == "%" ? std::optional<Value>(0) : integer_arithmetic("-", 0, a);
    return operation == "//" ? Value(floor_divide(a, b)) : Value(a - floor_divide(a, b) * b);
  }
  if (b < 0) return Value(std::pow(static_cast<double>(a), static_cast<double>(b)));
  result = 1;
  for (std::int64_t i = 0; i < b && result != 0; ++i) {
    if (a == 1 || (a == -1 && i > 1)) return Value(a == 1 || b % 2 == 0 ? 1 : -1);
    if (__builtin_mul_overflow(result, a, &result)) return std::nullopt;
  }
  return Value(result);
}

Value float_arithmetic(std::string_view operation, double a, double b) {
  if (operation == "+") return a + b;
  if (operation == "-") return a - b;
  if (operation == "*") return a * b;
  if (operation == "/") return a / b;
  if (operation == "//") return std::floor(a / b);
  if (operation == "%") return float_modulo(a, b);
  return std::pow(a, b);
}

}  // namespace

Value Interpreter::arithmetic(std::string_view operation, const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) {
    const bool divides = operation == "/" || operation == "//" || operation == "%";
    const bool negative_power = operation == "**" && right.number() < 0;
    if ((divides && right.number() == 0) || (negative_power && left.number() == 0)) fail("a division by zero");
    if (left.is_float() || right.is_float()) return float_arithmetic(operation, left.number(), right.number());
    const auto result = integer_arithmetic(operation, left.integer(), right.integer());
    if (!result) fail("an integer beyond 64 bits");
    return *result;
  }
  if (operation == "+" && left.is_text() && right.is_text()) {
    const Text& a = left.text();
    const Text& b = right.text();
    Text sum = b.markup && !a.markup ? escaped_html(a) : a;
    sum.append(a.markup && !b.markup ? escaped_html(b) : b);
    sum.markup = a.markup || b.markup;
    return made(std::move(sum));
  }
  if (operation == "+" && left.is_list() && right.is_list() && left.is_tuple() == right.is_tuple() && !left.is_lazy() &&
      !right.is_lazy()) {
    List sum = {left.items(), left.is_tuple()};
    sum.items.insert(sum.items.end(), right.items().begin(), right.items().end());
    spend(static_cast<std::int64_t>(sum.items.size() / 4));
    return sum;
  }
  if (operation == "%" && left.is_text()) return made(percent_format(*this, left.text(), right));
  const bool repeats = operation == "*" &&
                       ((left.is_text() || left.is_list()) != (right.is_text() || right.is_list())) &&
                       (left.is_integer() || right.is_integer() || left.is_bool() || right.is_bool());
  if (!repeats) fail("'" + std::string(operation) + "' between " + kind(left) + " and " + kind(right));
  const Value& sequence = left.is_text() || left.is_list() ? left : right;
  const std::int64_t times = std::max<std::int64_t>(0, (&sequence == &left ? right : left).integer());
  const auto size = static_cast<std::int64_t>(sequence.is_text() ? sequence.text().size() : sequence.items().size());
  std::int64_t total = 0;
  if (__builtin_mul_overflow(size, times, &total)) fail("a repetition beyond any budget");
  if (sequence.is_text() ? total > budget_.bytes : total > budget_.steps)
    fail("a repetition beyond the template's budget");
  if (sequence.is_list()) {
    List list = {{}, sequence.is_tuple()};
    spend(total);
    for (std::int64_t i = 0; i < (size ? times : 0); ++i)
      list.items.insert(list.items.end(), sequence.items().begin(), sequence.items().end());
    return list;
  }
  Text text;
  for (std::int64_t i = 0; i < (size ? times : 0); ++i) text.append(sequence.text());
  return made(std::move(text));
}

}  // namespace attune::jinja
