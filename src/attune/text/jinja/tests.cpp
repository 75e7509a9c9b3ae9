// value is NAME(arguments)
#include <algorithm>
#include <array>

#include "attune/text/jinja/builtins.h"
#include "attune/text/jinja/interpreter.h"
#include "attune/text/unicode.h"

namespace attune::jinja {
namespace {

struct Test {
  std::string_view name;
  bool (*holds)(Interpreter&, const Value&, ArgumentReader&);
};

std::int64_t whole(Interpreter& interpreter, const Value& value) {
  if (!value.is_integer() && !value.is_bool())
    interpreter.fail("a " + std::string(value.type_name()) + " where a whole number is needed");
  return value.integer();
}

bool divisible(Interpreter& interpreter, const Value& value, std::int64_t by) {
  if (by == 0) interpreter.fail("a division by zero");
  return by == -1 || whole(interpreter, value) % by == 0;
}

template <int low, int high>
bool ordered(Interpreter& interpreter, const Value& value, ArgumentReader& arguments) {
  const int order = interpreter.compare(value, arguments.required("other"), "comparison");
  return order >= low && order <= high;
}
bool equal(Interpreter&, const Value& value, ArgumentReader& arguments) {
  return value.equals(arguments.required("other"));
}
bool different(Interpreter&, const Value& value, ArgumentReader& arguments) {
  return !value.equals(arguments.required("other"));
}
bool iterable(Interpreter&, const Value& value, ArgumentReader&) {
  return value.is_text() || value.is_list() || value.is_dict() || value.is_undefined();
}
bool sequence(Interpreter& interpreter, const Value& value, ArgumentReader& arguments) {
  return iterable(interpreter, value, arguments) && !value.is_lazy();
}

constexpr std::array tests = {
    Test{"!=", different},
    Test{"<", ordered<-1, -1>},
    Test{"<=", ordered<-1, 0>},
    Test{"==", equal},
    Test{">", ordered<1, 1>},
    Test{">=", ordered<0, 1>},
    Test{"boolean", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_bool(); }},
    Test{"callable", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_callable(); }},
    Test{"defined", [](Interpreter&, const Value& v, ArgumentReader&) { return !v.is_undefined(); }},
    Test{"divisibleby", [](Interpreter& i, const Value& v, ArgumentReader& a) { return divisible(i, v, whole(i, a.required("num"))); }},
    Test{"eq", equal},
    Test{"equalto", equal},
    Test{"even", [](Interpreter& i, const Value& v, ArgumentReader&) { return divisible(i, v, 2); }},
    Test{"false", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_bool() && !v.truth(); }},
    Test{"filter", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_text() && is_filter(v.text().view()); }},
    Test{"float", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_float(); }},
    Test{"ge", ordered<0, 1>},
    Test{"greaterthan", ordered<1, 1>},
    Test{"gt", ordered<1, 1>},
    Test{"in", [](Interpreter& i, const Value& v, ArgumentReader& a) { return i.contains(a.required("seq"), v); }},
    Test{"integer", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_integer(); }},
    Test{"iterable", iterable},
    Test{"le", ordered<-1, 0>},
    Test{"lessthan", ordered<-1, -1>},
    Test{"lower", [](Interpreter&, const Value& v, ArgumentReader&) {
           const std::string text(str(v).view());
           return lower_case(text) == text && upper_case(text) != text;
         }},
    Test{"lt", ordered<-1, -1>},
    Test{"mapping", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_dict(); }},
    Test{"ne", different},
    Test{"none", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_none(); }},
    Test{"number", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_number(); }},
    Test{"odd", [](Interpreter& i, const Value& v, ArgumentReader&) { return !divisible(i, v, 2); }},
    Test{"sameas", [](Interpreter&, const Value& v, ArgumentReader& a) {
           const Value other = a.required("other");
           if (v.identity() || other.identity()) return v.identity() == other.identity();
           return v.type_name() == other.type_name() && v.equals(other);
         }},
    Test{"sequence", sequence},
    Test{"string", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_text(); }},
    Test{"test", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_text() && is_test(v.text().view()); }},
    Test{"true", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_bool() && v.truth(); }},
    Test{"undefined", [](Interpreter&, const Value& v, ArgumentReader&) { return v.is_undefined(); }},
    Test{"upper", [](Interpreter&, const Value& v, ArgumentReader&) {
           const std::string text(str(v).view());
           return upper_case(text) == text && lower_case(text) != text;
         }},
};

constexpr auto names = [] {
  std::array<std::string_view, tests.size()> result;
  for (std::size_t i = 0; i < tests.size(); ++i) result[i] = tests[i].name;
  return result;
}();

}  // namespace

std::span<const std::string_view> test_names() { return names; }
bool is_test(std::string_view name) { return std::ranges::binary_search(names, name); }

bool apply_test(Interpreter& interpreter, std::string_view name, const Value& value, Arguments& arguments) {
  const auto& test = tests[static_cast<std::size_t>(std::ranges::lower_bound(names, name) - names.begin())];
  ArgumentReader reader(interpreter, name, arguments);
  const bool holds = test.holds(interpreter, value, reader);
  reader.done();
  return holds;
}

}  // namespace attune::jinja
