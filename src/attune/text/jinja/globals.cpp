// Arguments of calls, and the functions every template may call.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "attune/text/jinja/builtins.h"
#include "attune/text/jinja/interpreter.h"

namespace attune::jinja {

std::optional<Value> ArgumentReader::take(std::string_view parameter) {
  if (positional_ < arguments_.positional.size()) return arguments_.positional[positional_++];
  for (const auto& [name, value] : arguments_.named) {
    if (name == parameter) {
      ++named_;
      return value;
    }
  }
  return std::nullopt;
}

Value ArgumentReader::required(std::string_view parameter) {
  auto value = take(parameter);
  if (!value) interpreter_.fail("'" + std::string(callee_) + "' without its argument '" + std::string(parameter) + "'");
  return *value;
}

Value ArgumentReader::optional(std::string_view parameter, Value otherwise) {
  auto value = take(parameter);
  return value ? *value : otherwise;
}

std::int64_t ArgumentReader::integer(std::string_view parameter, std::int64_t otherwise) {
  const Value value = optional(parameter, otherwise);
  if (value.is_none()) return otherwise;
  if (!value.is_integer() && !value.is_bool()) {
    interpreter_.fail("a " + std::string(value.type_name()) + " as '" + std::string(parameter) + "' of '" +
                          std::string(callee_) + "'",
                      "an integer");
  }
  return value.integer();
}

void ArgumentReader::done() {
  if (positional_ != arguments_.positional.size() || named_ != arguments_.named.size()) {
    interpreter_.fail("an argument that '" + std::string(callee_) + "' does not have");
  }
}

namespace {

constexpr std::int64_t longest_range = 100000;  // jinja2's sandbox has the same

using Function = Value (*)(Interpreter&, Arguments&);

Value range(Interpreter& interpreter, Arguments& arguments) {
  ArgumentReader reader(interpreter, "range", arguments);
  const Value first = reader.required("start"), second = reader.optional("stop", None{});
  const std::int64_t step = reader.integer("step", 1);
  reader.done();
  if (!first.is_integer() || (!second.is_integer() && !second.is_none()))
    interpreter.fail("a range without whole numbers");
  const std::int64_t begin = second.is_none() ? 0 : first.integer(),
                     end = second.is_none() ? first.integer() : second.integer();
  if (step == 0) interpreter.fail("a range with step 0");
  const double count =
      std::max(0.0, std::ceil((static_cast<double>(end) - static_cast<double>(begin)) / static_cast<double>(step)));
  if (count > static_cast<double>(longest_range)) interpreter.fail("a range of more than 100000 numbers");
  interpreter.spend(static_cast<std::int64_t>(count));
  List list;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i) list.items.emplace_back(begin + i * step);
  return list;
}

Dict fields_of(Interpreter& interpreter, Arguments& arguments) {
  Dict dict;
  for (const Value& value : arguments.positional) {
    if (value.is_dict()) {
      for (const auto& [key, item] : value.dict().items) dict.set(key, item);
      continue;
    }
    for (const Value& pair : interpreter.iterate(value)) {
      const std::vector<Value> parts = interpreter.iterate(pair);
      if (parts.size() != 2) interpreter.fail("an item that is no pair of key and value");
      dict.set(parts[0], parts[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) dict.set(Value(name), value);
  return dict;
}

Value make_namespace(Interpreter& interpreter, Arguments& arguments) {
  Dict fields = fields_of(interpreter, arguments);
  for (const auto& field : fields.items) {
    if (field.first.is_text() && field.first.text().view().starts_with('_'))
      interpreter.fail("a field that begins with '_'", "another name");
  }
  return interpreter.make_namespace(std::move(fields));
}

Value make_dict(Interpreter& interpreter, Arguments& arguments) { return fields_of(interpreter, arguments); }

Value raise_exception(Interpreter& interpreter, Arguments& arguments) {
  ArgumentReader reader(interpreter, "raise_exception", arguments);
  const Value message = reader.required("message");
  reader.done();
  interpreter.raised(std::string(str(message).view()));
}

Value strftime_now(Interpreter& interpreter, Arguments& arguments) {
  ArgumentReader reader(interpreter, "strftime_now", arguments);
  const Value format = reader.required("format");
  reader.done();
  return Value(interpreter.now(std::string(str(format).view())));
}

struct Cycler final : Object, std::enable_shared_from_this<Cycler> {
  std::vector<Value> items = {};
  std::size_t at = 0;

  std::optional<Value> attribute(Interpreter&, std::string_view name) override {
    if (name == "current") return items[at];
    if (name != "next" && name != "reset") return std::nullopt;
    return Value(std::make_shared<const Callable>(
        Callable{std::string(name), [self = shared_from_this(), next = name == "next"](Interpreter&, Arguments&) {
                   const Value current = self->items[self->at];
                   self->at = next ? (self->at + 1) % self->items.size() : 0;
                   return next ? current : Value(None{});
                 }}));
  }
};

Value cycler(Interpreter& interpreter, Arguments& arguments) {
  if (arguments.positional.empty()) interpreter.fail("a cycler without values");
  auto result = std::make_shared<Cycler>();
  result->items = arguments.positional;
  return Value(std::static_pointer_cast<Object>(result));
}

Value joiner(Interpreter& interpreter, Arguments& arguments) {
  ArgumentReader reader(interpreter, "joiner", arguments);
  const Value separator = reader.optional("sep", Value(", "));
  reader.done();
  return Value(std::make_shared<const Callable>(
      Callable{"joiner", [separator, used = std::make_shared<bool>(false)](Interpreter&, Arguments&) {
                 return std::exchange(*used, true) ? separator : Value("");
               }}));
}

}  // namespace

std::optional<Value> global(std::string_view name) {
  static const std::unordered_map<std::string_view, Function> functions = {
      {"range", range},
      {"namespace", make_namespace},
      {"dict", make_dict},
      {"raise_exception", raise_exception},
      {"strftime_now", strftime_now},
      {"cycler", cycler},
      {"joiner", joiner},
  };
  const auto found = functions.find(name);
  if (found == functions.end()) return std::nullopt;
  return Value(std::make_shared<const Callable>(Callable{std::string(name), found->second}));
}

}  // namespace attune::jinja
