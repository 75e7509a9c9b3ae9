// Methods of Python's str, list and dict. Reading ones only.
#include <algorithm>
#include <unordered_map>

#include "attune/text/jinja/builtins.h"
#include "attune/text/jinja/format.h"
#include "attune/text/jinja/interpreter.h"
#include "attune/text/jinja/text_operations.h"
#include "attune/text/unicode.h"

namespace attune::jinja {
namespace {

using Method = Value (*)(Interpreter&, const Value& self, ArgumentReader& arguments, Arguments& raw);
using Methods = std::unordered_map<std::string_view, Method>;

std::optional<std::string> optional_text(Interpreter& interpreter, const Value& value) {
  if (value.is_none()) return std::nullopt;
  if (!value.is_text()) interpreter.fail("a " + std::string(value.type_name()) + " as an argument", "text");
  return std::string(value.text().view());
}

std::string required_text(Interpreter& interpreter, const Value& value) {
  if (!value.is_text()) interpreter.fail("a " + std::string(value.type_name()) + " as an argument", "text");
  return std::string(value.text().view());
}

template <Side side>
Value strip(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const auto characters = optional_text(interpreter, arguments.optional("chars", None{}));
  arguments.done();
  return interpreter.made(
      stripped(self.text(), characters ? std::optional<std::string_view>(*characters) : std::nullopt, side));
}

Value list_of(Interpreter& interpreter, std::vector<Text> texts) {
  List list;
  interpreter.spend(static_cast<std::int64_t>(texts.size()));
  for (Text& text : texts) list.items.emplace_back(interpreter.made(std::move(text)));
  return list;
}

template <bool from_right>
Value split_text(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const auto separator = optional_text(interpreter, arguments.optional("sep", None{}));
  const std::int64_t most = arguments.integer("maxsplit", -1);
  arguments.done();
  if (separator && separator->empty()) interpreter.fail("a split by an empty separator");
  const auto view = separator ? std::optional<std::string_view>(*separator) : std::nullopt;
  return list_of(interpreter, from_right ? split_from_right(self.text(), view, most) : split(self.text(), view, most));
}

template <std::string (*change)(std::string_view)>
Value recase(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  arguments.done();
  return interpreter.made(recased(self.text(), change));
}

// startswith, endswith: one text or a tuple of them.
template <bool at_end>
Value touches(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const Value affix = arguments.required("affix");
  arguments.done();
  const auto fits = [&](const Value& one) {
    const std::string text = required_text(interpreter, one);
    return at_end ? self.text().view().ends_with(text) : self.text().view().starts_with(text);
  };
  if (!affix.is_tuple()) return fits(affix);
  return std::any_of(affix.items().begin(), affix.items().end(), fits);
}

template <bool from_right>
Value find_text(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const std::string wanted = required_text(interpreter, arguments.required("sub"));
  arguments.done();
  const std::string_view text = self.text().view();
  const std::size_t found = from_right ? text.rfind(wanted) : text.find(wanted);
  return found == text.npos ? Value(-1) : Value(code_point_count(text.substr(0, found)));
}

Value count_text(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const std::string wanted = required_text(interpreter, arguments.required("sub"));
  arguments.done();
  if (wanted.empty()) return interpreter.length(self) + 1;
  return split(self.text(), wanted).size() - 1;
}

Value replace_text(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const std::string old = required_text(interpreter, arguments.required("old"));
  const Value by = arguments.required("new");
  required_text(interpreter, by);
  const std::int64_t most = arguments.integer("count", -1);
  arguments.done();
  return interpreter.made(
      replaced(self.text(), old, self.text().markup && !by.text().markup ? escaped_html(by.text()) : by.text(), most));
}

Value join_text(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const std::vector<Value> items = interpreter.iterate(arguments.required("iterable"));
  arguments.done();
  Text out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    required_text(interpreter, items[i]);
    if (i > 0) out.append(self.text());
    out.append(items[i].text());
  }
  return interpreter.made(std::move(out));
}

template <bool prefix>
Value remove_affix(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const std::string affix = required_text(interpreter, arguments.required("affix"));
  arguments.done();
  const Text& text = self.text();
  if (prefix) return text.view().starts_with(affix) ? Value(text.slice(affix.size(), text.size())) : self;
  return text.view().ends_with(affix) ? Value(text.slice(0, text.size() - affix.size())) : self;
}

template <bool (*holds)(char32_t)>
Value every_character(Interpreter&, const Value& self, ArgumentReader& arguments, Arguments&) {
  arguments.done();
  const std::string_view text = self.text().view();
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    if (!holds(c.value)) return false;
    at += c.size;
  }
  return !text.empty();
}

bool is_digit(char32_t c) { return character_class(c) == CharacterClass::number; }
bool is_alpha(char32_t c) { return character_class(c) == CharacterClass::letter; }
bool is_alnum(char32_t c) { return is_digit(c) || is_alpha(c); }

template <std::string (*change)(std::string_view)>
Value is_cased_so(Interpreter&, const Value& self, ArgumentReader& arguments, Arguments&) {
  arguments.done();
  const std::string_view text = self.text().view();
  return change(text) == text && lower_case(text) != upper_case(text);
}

Value format_text(Interpreter& interpreter, const Value& self, ArgumentReader&, Arguments& raw) {
  return interpreter.made(brace_format(interpreter, self.text(), raw));
}

Value split_lines(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const bool keep = arguments.optional("keepends", false).truth();
  arguments.done();
  return list_of(interpreter, lines(self.text(), keep));
}

Value dict_get(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const Value key = arguments.required("key");
  const Value otherwise = arguments.optional("default", None{});
  arguments.done();
  interpreter.spend(static_cast<std::int64_t>(self.dict().items.size() / 16));
  const Value* found = self.dict().find(key);
  return found ? *found : otherwise;
}

Value dict_keys(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  arguments.done();
  return List{interpreter.iterate(self)};
}

Value dict_values(Interpreter&, const Value& self, ArgumentReader& arguments, Arguments&) {
  arguments.done();
  List list;
  for (const auto& item : self.dict().items) list.items.push_back(item.second);
  return list;
}

Value dict_items(Interpreter&, const Value& self, ArgumentReader& arguments, Arguments&) {
  arguments.done();
  List list;
  for (const auto& [key, value] : self.dict().items) list.items.emplace_back(List{{key, value}, true});
  return list;
}

Value copy(Interpreter&, const Value& self, ArgumentReader& arguments, Arguments&) {
  arguments.done();
  return self;
}

Value list_index(Interpreter& interpreter, const Value& self, ArgumentReader& arguments, Arguments&) {
  const Value wanted = arguments.required("value");
  arguments.done();
  const auto& items = self.items();
  const auto found = std::find_if(items.begin(), items.end(), [&](const Value& one) { return one.equals(wanted); });
  if (found == items.end()) interpreter.fail("index() of something that is not in the list");
  return found - items.begin();
}

Value list_count(Interpreter&, const Value& self, ArgumentReader& arguments, Arguments&) {
  const Value wanted = arguments.required("value");
  arguments.done();
  return std::count_if(self.items().begin(), self.items().end(), [&](const Value& one) { return one.equals(wanted); });
}

Value refuse_change(Interpreter& interpreter, const Value&, ArgumentReader&, Arguments&) {
  interpreter.fail("a method that changes its object",
                   "expressions that make a new value: templates may not change data");
}

const Methods& text_methods() {
  static const Methods methods = {
      {"strip", strip<Side::both>},
      {"lstrip", strip<Side::left>},
      {"rstrip", strip<Side::right>},
      {"split", split_text<false>},
      {"rsplit", split_text<true>},
      {"splitlines", split_lines},
      {"upper", recase<upper_case>},
      {"lower", recase<lower_case>},
      {"title", recase<title_case>},
      {"capitalize", recase<capitalized>},
      {"startswith", touches<false>},
      {"endswith", touches<true>},
      {"find", find_text<false>},
      {"rfind", find_text<true>},
      {"count", count_text},
      {"replace", replace_text},
      {"join", join_text},
      {"format", format_text},
      {"removeprefix", remove_affix<true>},
      {"removesuffix", remove_affix<false>},
      {"isdigit", every_character<is_digit>},
      {"isnumeric", every_character<is_digit>},
      {"isdecimal", every_character<is_digit>},
      {"isalpha", every_character<is_alpha>},
      {"isalnum", every_character<is_alnum>},
      {"isspace", every_character<is_python_space>},
      {"isupper", is_cased_so<upper_case>},
      {"islower", is_cased_so<lower_case>},
  };
  return methods;
}

const Methods& dict_methods() {
  static const Methods methods = {
      {"get", dict_get},        {"keys", dict_keys},           {"values", dict_values}, {"items", dict_items},
      {"copy", copy},           {"update", refuse_change},     {"pop", refuse_change},  {"popitem", refuse_change},
      {"clear", refuse_change}, {"setdefault", refuse_change},
  };
  return methods;
}

const Methods& list_methods() {
  static const Methods methods = {
      {"index", list_index},      {"count", list_count},     {"copy", copy},           {"append", refuse_change},
      {"extend", refuse_change},  {"insert", refuse_change}, {"pop", refuse_change},   {"remove", refuse_change},
      {"reverse", refuse_change}, {"sort", refuse_change},   {"clear", refuse_change},
  };
  return methods;
}

}  // namespace

std::optional<Value> method(const Value& self, std::string_view name) {
  if (!self.is_text() && !self.is_dict() && !self.is_list()) return std::nullopt;
  const Methods& methods = self.is_text() ? text_methods() : self.is_dict() ? dict_methods() : list_methods();
  const auto found = methods.find(name);
  if (found == methods.end()) return std::nullopt;
  return Value(
      std::make_shared<const Callable>(Callable{std::string(name), [self, call = found->second, callee = found->first](
                                                                       Interpreter& interpreter, Arguments& arguments) {
                                                  ArgumentReader reader(interpreter, callee, arguments);
                                                  return call(interpreter, self, reader, arguments);
                                                }}));
}

}  // namespace attune::jinja
