// value | NAME(arguments)
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "attune/text/jinja/builtins.h"
#include "attune/text/jinja/format.h"
#include "attune/text/jinja/interpreter.h"
#include "attune/text/jinja/text_operations.h"
#include "attune/text/unicode.h"

namespace attune::jinja {
namespace {

struct Call {
  Interpreter& interpreter;
  const Value& value;
  ArgumentReader& reader;
  Arguments& arguments;
};

struct Filter {
  std::string_view name;
  Value (*apply)(Call&);
};

// value.a.0.b of a dotted name, or item `attribute` for a number.
Value attribute_of(Call& call, const Value& value, const Value& attribute) {
  if (!attribute.is_text()) return call.interpreter.item(value, attribute);
  Value result = value;
  for (const Text& part : split(attribute.text(), ".")) {
    const std::string_view name = part.view();
    const bool number =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    std::int64_t index = 0;
    if (number) std::from_chars(name.data(), name.data() + name.size(), index);
    result = call.interpreter.item(result, number ? Value(index) : Value(name));
  }
  return result;
}

Value as_list(std::vector<Value> items) { return List{std::move(items)}; }
Value as_lazy(std::vector<Value> items) { return List{std::move(items), false, true}; }

template <std::string (*change)(std::string_view)>
Value recase(Call& call) {
  return call.interpreter.made(recased(str(call.value), change));
}

// jinja2's own: a word begins behind blanks, dashes and opening brackets.
std::string title_words(std::string_view text) {
  std::string out;
  bool first = true;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    const std::string_view bytes = text.substr(at, c.size);
    out += first ? upper_case(bytes) : lower_case(bytes);
    first = is_python_space(c.value) || c.value == '-' || c.value == '(' || c.value == '{' || c.value == '[' ||
            c.value == '<';
    at += c.size;
  }
  return out;
}

Value absolute(Call& call) {
  if (!call.value.is_number()) call.interpreter.fail("abs of a " + std::string(call.value.type_name()));
  if (call.value.is_float()) return std::fabs(call.value.number());
  return call.value.integer() < 0 ? call.interpreter.arithmetic("-", 0, call.value) : Value(call.value.integer());
}

Value attribute(Call& call) {
  const Text name = str(call.reader.required("name"));
  if (!call.value.is_dict()) return call.interpreter.attribute(call.value, name.view());
  const auto bound = method(call.value, name.view());  // a dictionary's members are no attributes
  return bound ? *bound : Value(Undefined{"an object's member asked for as an attribute"});
}

Value batch(Call& call) {
  const std::int64_t size = call.reader.integer("linecount", 0);
  const Value fill = call.reader.optional("fill_with", None{});
  if (size < 1 || size > 100000) call.interpreter.fail("batches of " + std::to_string(size), "1 to 100000");
  std::vector<Value> batches, batch;
  for (const Value& item : call.interpreter.iterate(call.value)) {
    batch.push_back(item);
    if (static_cast<std::int64_t>(batch.size()) == size) batches.push_back(as_list(std::exchange(batch, {})));
  }
  if (!batch.empty()) {
    if (!fill.is_none()) batch.resize(static_cast<std::size_t>(size), fill);
    batches.push_back(as_list(std::move(batch)));
  }
  return as_lazy(std::move(batches));
}

Value fallback(Call& call) {
  const Value otherwise = call.reader.optional("default_value", Value(""));
  const bool any_false = call.reader.optional("boolean", false).truth();
  return call.value.is_undefined() || (any_false && !call.value.truth()) ? otherwise : call.value;
}

// Sort keys: text is compared in lower case unless told otherwise, as jinja2 does.
Value sort_key(const Value& value, bool case_sensitive) {
  return !case_sensitive && value.is_text() ? Value(lower_case(value.text().view())) : value;
}

std::vector<Value> sorted(Call& call, std::vector<Value> items, const std::vector<Value>& keys, bool reverse) {
  std::vector<std::size_t> order(items.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (const Value& key : keys) call.interpreter.compare(key, keys.front(), "sort");
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int sign = keys[a].compare(keys[b]).value_or(0);
    return reverse ? sign > 0 : sign < 0;
  });
  call.interpreter.spend(static_cast<std::int64_t>(items.size()));
  std::vector<Value> result;
  for (const std::size_t i : order) result.push_back(items[i]);
  return result;
}

Value sort_dict(Call& call) {
  const bool case_sensitive = call.reader.optional("case_sensitive", false).truth();
  const Value by = call.reader.optional("by", Value("key"));
  const bool reverse = call.reader.optional("reverse", false).truth();
  if (!call.value.is_dict()) call.interpreter.fail("dictsort of a " + std::string(call.value.type_name()));
  std::vector<Value> items, keys;
  for (const auto& [key, value] : call.value.dict().items) {
    items.emplace_back(List{{key, value}, true});
    keys.push_back(sort_key(by.equals(Value("value")) ? value : key, case_sensitive));
  }
  return as_list(sorted(call, std::move(items), keys, reverse));
}

Value escape(Call& call) {
  const Text text = str(call.value);
  return text.markup ? Value(text) : Value(call.interpreter.made(escaped_html(text)));
}

Value first(Call& call) {
  const std::vector<Value> items = call.interpreter.iterate(call.value);
  return items.empty() ? Value(Undefined{"there is no first item"}) : items.front();
}
Value last(Call& call) {
  const std::vector<Value> items = call.interpreter.iterate(call.value);
  return items.empty() ? Value(Undefined{"there is no last item"}) : items.back();
}

std::optional<double> parsed_number(const Value& value) {
  if (value.is_number()) return value.number();
  if (!value.is_text()) return std::nullopt;
  const Text text = stripped(value.text(), std::nullopt, Side::both);
  std::string_view digits = text.view();
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return !digits.empty() && read.ec == std::errc() && read.ptr == digits.data() + digits.size() ? std::optional(number)
                                                                                                : std::nullopt;
}

Value to_float(Call& call) {
  const Value otherwise = call.reader.optional("default", 0.0);
  const auto number = parsed_number(call.value);
  return number ? Value(*number) : otherwise;
}

Value to_integer(Call& call) {
  const Value otherwise = call.reader.optional("default", 0);
  const std::int64_t base = call.reader.integer("base", 10);
  if (base < 2 || base > 36) call.interpreter.fail("a base of " + std::to_string(base), "2 to 36");
  if (call.value.is_integer() || call.value.is_bool()) return call.value.integer();
  if (call.value.is_text()) {
    const Text text = stripped(call.value.text(), std::nullopt, Side::both);
    std::string_view digits = text.view();
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, static_cast<int>(base));
    if (!digits.empty() && read.ec == std::errc() && read.ptr == digits.data() + digits.size()) return number;
  }
  const auto number = parsed_number(call.value);
  if (number && std::fabs(*number) < 9e18) return static_cast<std::int64_t>(std::trunc(*number));
  return otherwise;
}

Value indent(Call& call) {
  const Value width = call.reader.optional("width", 4);
  const bool first_line = call.reader.optional("first", false).truth(),
             blank_lines = call.reader.optional("blank", false).truth();
  Text prefix;
  if (width.is_text()) {
    prefix = width.text();
  } else {
    if (!width.is_integer() || width.integer() > 10000)
      call.interpreter.fail("an indent that is no small number or text");
    prefix = Text(std::string(static_cast<std::size_t>(std::max<std::int64_t>(0, width.integer())), ' '));
  }
  Text source = str(call.value);
  source.append("\n");  // so that a line end at the end counts
  Text out;
  out.markup = str(call.value).markup;
  if (first_line) out.append(prefix);
  bool begun = false;
  for (const Text& line : lines(source, false)) {
    if (begun) {
      out.append("\n");
      if (!line.empty() || blank_lines) out.append(prefix);
    }
    begun = true;
    out.append(line);
  }
  return call.interpreter.made(std::move(out));
}

Value items(Call& call) {
  if (call.value.is_undefined()) return as_lazy({});
  if (!call.value.is_dict()) call.interpreter.fail("items of a " + std::string(call.value.type_name()), "an object");
  std::vector<Value> pairs;
  for (const auto& [key, value] : call.value.dict().items) pairs.emplace_back(List{{key, value}, true});
  return as_lazy(std::move(pairs));
}

Value join(Call& call) {
  const Text separator = str(call.reader.optional("d", Value("")));
  const Value attribute = call.reader.optional("attribute", None{});
  Text out;
  bool begun = false;
  for (const Value& item : call.interpreter.iterate(call.value)) {
    if (std::exchange(begun, true)) out.append(separator);
    out.append(str(attribute.is_none() ? item : attribute_of(call, item, attribute)));
  }
  return call.interpreter.made(std::move(out));
}

Value map(Call& call) {
  std::vector<Value> result;
  const auto named = [&](std::string_view name) -> const Value* {
    for (const auto& [key, value] : call.arguments.named) {
      if (key == name) return &value;
    }
    return nullptr;
  };
  if (!call.value.truth()) return as_lazy({});
  const std::vector<Value> items = call.interpreter.iterate(call.value);
  if (const Value* attribute = named("attribute"); attribute && call.arguments.positional.empty()) {
    const Value* otherwise = named("default");
    for (const Value& item : items) {
      Value value = attribute_of(call, item, *attribute);
      result.push_back(value.is_undefined() && otherwise ? *otherwise : value);
    }
    return as_lazy(std::move(result));
  }
  if (call.arguments.positional.empty()) call.interpreter.fail("map without the name of a filter");
  const Text name = str(call.arguments.positional.front());
  if (!is_filter(name.view())) call.interpreter.fail("map with an unknown filter");
  for (const Value& item : items) {
    Arguments rest = call.arguments;
    rest.positional.erase(rest.positional.begin());
    result.push_back(apply_filter(call.interpreter, name.view(), item, rest));
  }
  return as_lazy(std::move(result));
}

// select, reject, selectattr, rejectattr.
template <bool by_attribute, bool keep>
Value choose(Call& call) {
  if (!call.value.truth()) return as_lazy({});
  std::vector<Value> result;
  const auto& given = call.arguments.positional;
  const std::size_t skipped = by_attribute ? 1 : 0;
  if (given.size() < skipped) call.interpreter.fail("a choice by attribute without its name");
  const std::string test(given.size() > skipped ? str(given[skipped]).view() : "");
  if (given.size() > skipped && !is_test(test)) call.interpreter.fail("a choice by an unknown test");
  for (const Value& item : call.interpreter.iterate(call.value)) {
    const Value looked_at = by_attribute ? attribute_of(call, item, given[0]) : item;
    bool holds = looked_at.truth();
    if (!test.empty()) {
      Arguments rest = {{given.begin() + static_cast<std::ptrdiff_t>(skipped) + 1, given.end()}, call.arguments.named};
      holds = apply_test(call.interpreter, test, looked_at, rest);
    }
    if (holds == keep) result.push_back(item);
  }
  return as_lazy(std::move(result));
}

template <int sign>
Value extreme(Call& call) {
  const bool case_sensitive = call.reader.optional("case_sensitive", false).truth();
  const Value attribute = call.reader.optional("attribute", None{});
  std::optional<Value> best, best_key;
  for (const Value& item : call.interpreter.iterate(call.value)) {
    const Value key = sort_key(attribute.is_none() ? item : attribute_of(call, item, attribute), case_sensitive);
    if (best && call.interpreter.compare(key, *best_key, "comparison") * sign <= 0) continue;
    best = item;
    best_key = key;
  }
  return best ? *best : Value(Undefined{"there is no item"});
}

Value replace(Call& call) {
  const Text old = str(call.reader.required("old")), by = str(call.reader.required("new"));
  const std::int64_t most = call.reader.integer("count", -1);
  Text text = str(call.value);
  text.markup = false;
  return call.interpreter.made(replaced(text, old.view(), by, most));
}

Value reverse(Call& call) {
  std::vector<Value> items = call.interpreter.iterate(call.value);
  std::reverse(items.begin(), items.end());
  if (!call.value.is_text()) return as_lazy(std::move(items));
  Text text;
  for (const Value& item : items) text.append(item.text());
  return call.interpreter.made(std::move(text));
}

Value round(Call& call) {
  const std::int64_t precision = call.reader.integer("precision", 0);
  const Text method = str(call.reader.optional("method", Value("common")));
  if (!call.value.is_number() || precision < -300 || precision > 300)
    call.interpreter.fail("a round of no number, or to no small number of digits");
  const double power = std::pow(10.0, static_cast<double>(precision)), value = call.value.number();
  if (method.view() == "ceil") return std::ceil(value * power) / power;
  if (method.view() == "floor") return std::floor(value * power) / power;
  if (method.view() != "common") call.interpreter.fail("an unknown way of rounding", "common, ceil or floor");
  if (call.value.is_integer() || call.value.is_bool())
    return static_cast<std::int64_t>(std::nearbyint(value * power) / power);
  if (precision <= 0) return std::nearbyint(value * power) / power;
  char buffer[700];
  std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), value);  // correctly rounded, as Python's
  double rounded = 0;
  std::from_chars(buffer, buffer + std::char_traits<char>::length(buffer), rounded);
  return rounded;
}

Value safe(Call& call) {
  Text text = str(call.value);
  text.markup = true;
  return text;
}

Value sort(Call& call) {
  const bool reverse = call.reader.optional("reverse", false).truth(),
             case_sensitive = call.reader.optional("case_sensitive", false).truth();
  const Value attribute = call.reader.optional("attribute", None{});
  const std::vector<Value> items = call.interpreter.iterate(call.value);
  std::vector<Value> keys;
  for (const Value& item : items) {
    if (attribute.is_none()) {
      keys.push_back(sort_key(item, case_sensitive));
      continue;
    }
    List parts;
    parts.tuple = true;
    for (const Text& part : split(str(attribute), ","))
      parts.items.push_back(sort_key(attribute_of(call, item, Value(part)), case_sensitive));
    keys.push_back(parts.items.size() == 1 ? parts.items[0] : Value(std::move(parts)));
  }
  return as_list(sorted(call, items, keys, reverse));
}

Value sum(Call& call) {
  const Value attribute = call.reader.optional("attribute", None{});
  Value total = call.reader.optional("start", 0);
  for (const Value& item : call.interpreter.iterate(call.value)) {
    total = call.interpreter.arithmetic("+", total, attribute.is_none() ? item : attribute_of(call, item, attribute));
  }
  return total;
}

Value to_json(Call& call) {
  JsonStyle style;
  style.ensure_ascii = call.reader.optional("ensure_ascii", false).truth();
  const Value indent = call.reader.optional("indent", None{});
  const Value separators = call.reader.optional("separators", None{});
  style.sort_keys = call.reader.optional("sort_keys", false).truth();
  if (indent.is_integer()) {
    if (indent.integer() < 0 || indent.integer() > 1000)
      call.interpreter.fail("a tojson indent of " + std::to_string(indent.integer()));
    style.indent = static_cast<int>(indent.integer());
    style.item_separator = ",";
  } else if (!indent.is_none()) {
    call.interpreter.fail("a tojson indent that is no whole number");
  }
  if (separators.is_list() && separators.items().size() == 2) {
    style.item_separator = str(separators.items()[0]).view();
    style.key_separator = str(separators.items()[1]).view();
  }
  auto text = json_dumps(call.value, style);
  if (!text) call.interpreter.fail("tojson of something that is no JSON");
  return call.interpreter.made(std::move(*text));
}

Value trim(Call& call) {
  const Value characters = call.reader.optional("chars", None{});
  if (characters.is_none()) return call.interpreter.made(stripped(str(call.value), std::nullopt, Side::both));
  const Text set = str(characters);
  return call.interpreter.made(stripped(str(call.value), set.view(), Side::both));
}

Value unique(Call& call) {
  const bool case_sensitive = call.reader.optional("case_sensitive", false).truth();
  const Value attribute = call.reader.optional("attribute", None{});
  std::vector<Value> result, seen;
  for (const Value& item : call.interpreter.iterate(call.value)) {
    const Value key = sort_key(attribute.is_none() ? item : attribute_of(call, item, attribute), case_sensitive);
    call.interpreter.spend(static_cast<std::int64_t>(seen.size() / 16));
    if (std::any_of(seen.begin(), seen.end(), [&](const Value& one) { return one.equals(key); })) continue;
    seen.push_back(key);
    result.push_back(item);
  }
  return as_lazy(std::move(result));
}

Value format_filter(Call& call) {
  Value values = List{call.arguments.positional, true};
  if (!call.arguments.named.empty()) {
    Dict dict;
    for (const auto& [name, value] : call.arguments.named) dict.set(Value(name), value);
    values = dict;
  }
  return call.interpreter.made(percent_format(call.interpreter, str(call.value), values));
}

Value length(Call& call) { return call.interpreter.length(call.value); }
Value to_list(Call& call) { return as_list(call.interpreter.iterate(call.value)); }
Value to_string(Call& call) { return str(call.value); }
Value word_count(Call& call) { return split(str(call.value), std::nullopt).size(); }

constexpr std::array filters = {
    Filter{"abs", absolute},
    Filter{"attr", attribute},
    Filter{"batch", batch},
    Filter{"capitalize", recase<capitalized>},
    Filter{"count", length},
    Filter{"d", fallback},
    Filter{"default", fallback},
    Filter{"dictsort", sort_dict},
    Filter{"e", escape},
    Filter{"escape", escape},
    Filter{"first", first},
    Filter{"float", to_float},
    Filter{"format", format_filter},
    Filter{"indent", indent},
    Filter{"int", to_integer},
    Filter{"items", items},
    Filter{"join", join},
    Filter{"last", last},
    Filter{"length", length},
    Filter{"list", to_list},
    Filter{"lower", recase<lower_case>},
    Filter{"map", map},
    Filter{"max", extreme<1>},
    Filter{"min", extreme<-1>},
    Filter{"reject", choose<false, false>},
    Filter{"rejectattr", choose<true, false>},
    Filter{"replace", replace},
    Filter{"reverse", reverse},
    Filter{"round", round},
    Filter{"safe", safe},
    Filter{"select", choose<false, true>},
    Filter{"selectattr", choose<true, true>},
    Filter{"sort", sort},
    Filter{"string", to_string},
    Filter{"sum", sum},
    Filter{"title", recase<title_words>},
    Filter{"tojson", to_json},
    Filter{"trim", trim},
    Filter{"unique", unique},
    Filter{"upper", recase<upper_case>},
    Filter{"wordcount", word_count},
};

constexpr auto names = [] {
  std::array<std::string_view, filters.size()> result;
  for (std::size_t i = 0; i < filters.size(); ++i) result[i] = filters[i].name;
  return result;
}();
static_assert(std::ranges::is_sorted(names));

bool reads_itself(std::string_view name) {  // its arguments belong to another filter, a test or a format
  return name == "map" || name == "select" || name == "reject" || name == "selectattr" || name == "rejectattr" ||
         name == "format";
}

}  // namespace

std::span<const std::string_view> filter_names() { return names; }
bool is_filter(std::string_view name) { return std::ranges::binary_search(names, name); }

Value apply_filter(Interpreter& interpreter, std::string_view name, const Value& value, Arguments& arguments) {
  const auto& filter = filters[static_cast<std::size_t>(std::ranges::lower_bound(names, name) - names.begin())];
  ArgumentReader reader(interpreter, name, arguments);
  Call call = {interpreter, value, reader, arguments};
  Value result = filter.apply(call);
  if (!reads_itself(name)) reader.done();
  return result;
}

}  // namespace attune::jinja
