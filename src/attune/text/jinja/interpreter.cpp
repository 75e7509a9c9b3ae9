#include "attune/text/jinja/interpreter.h"

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/text/jinja/builtins.h"
#include "attune/text/jinja/lexer.h"
#include "attune/text/jinja/loop.h"
#include "attune/text/jinja/scope.h"

namespace attune::jinja {

using Kind = Expression::Kind;

class Interpreter::Deeper {
 public:
  explicit Deeper(Interpreter& interpreter) : interpreter_(interpreter) {
    if (++interpreter_.depth_ > interpreter_.budget_.depth) {
      --interpreter_.depth_;
      interpreter_.fail("more than " + std::to_string(interpreter_.budget_.depth) + " nested evaluations");
    }
  }
  ~Deeper() { --interpreter_.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  Interpreter& interpreter_;
};

Interpreter::Interpreter(const std::string& file, const Budget& budget, StrftimeNow strftime_now)
    : file_(file), budget_(budget), strftime_now_(std::move(strftime_now)), scope_(std::make_shared<Scope>()) {}

Interpreter::~Interpreter() {
  for (const auto& scope : captured_scopes_) {
    if (const auto alive = scope.lock()) alive->clear();
  }
  for (const auto& space : namespaces_) {
    if (const auto alive = space.lock()) alive->fields.items.clear();
  }
}

Text Interpreter::run(const Block& block, std::vector<std::pair<std::string, Value>> globals) {
  for (auto& [name, value] : globals) scope_->set(name, std::move(value));
  const ScopeChange inner(scope_);
  Text out;
  out_ = &out;
  execute(block);
  return out;
}

void Interpreter::fail(const std::string& found, const std::string& expected) const {
  fail_at(file_, position_, found, expected, "correct the template");
}

void Interpreter::raised(const std::string& text) const {
  Where where = {.file = file_, .line = position_.line, .field = "column " + std::to_string(position_.column)};
  if (message_ >= 0) where.field = "messages[" + std::to_string(message_) + "]";
  throw DataError(std::move(where), "a conversation that the template refuses: " + text, {},
                  "correct the conversation");
}

void Interpreter::spend(std::int64_t steps) {
  budget_.steps -= steps;
  if (budget_.steps < 0) fail("a template that does not end within its budget of steps");
}

Text Interpreter::made(Text text) {
  budget_.bytes -= static_cast<std::int64_t>(text.size());
  if (budget_.bytes < 0) fail("a template that makes more text than its budget of bytes");
  return text;
}

std::shared_ptr<Namespace> Interpreter::make_namespace(Dict fields) {
  auto space = std::make_shared<Namespace>(Namespace{std::move(fields)});
  namespaces_.push_back(space);
  return space;
}

void Interpreter::watch(const Value& messages) { messages_ = messages; }

void Interpreter::note_message(const Value& item) {
  if (!item.is_dict() || !messages_.is_list()) return;
  const auto& all = messages_.items();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Value& one) { return one.identity() == item.identity(); });
  if (found != all.end()) message_ = found - all.begin();
}

// ---- statements

Interpreter::Flow Interpreter::execute(const Block& block) {
  const Deeper deeper(*this);
  for (const auto& statement : block) {
    position_ = statement->position;
    spend(1);
    if (const Flow flow = execute(*statement); flow != Flow::next) return flow;
  }
  return Flow::next;
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  using S = Statement::Kind;
  switch (statement.kind) {
    case S::data:
      out_->append(made(Text(statement.text)));
      break;
    case S::print:
      out_->append(made(str(evaluate(*statement.expression))));
      break;
    case S::branch:
      return execute(evaluate(*statement.expression).truth() ? statement.body : statement.otherwise);
    case S::loop:
      return execute_loop(statement);
    case S::assign:
      assign(statement.target, evaluate(*statement.expression));
      break;
    case S::assign_block: {
      Value value = captured(statement.body);
      if (statement.filters) value = evaluate_filters(*statement.filters, value);
      assign(statement.target, value);
      break;
    }
    case S::macro:
      define_macro(statement);
      break;
    case S::call_block:
      execute_call(statement);
      break;
    case S::filter_block:
      out_->append(made(str(evaluate_filters(*statement.filters, captured(statement.body)))));
      break;
    case S::with:
      execute_with(statement);
      break;
    case S::generation:
      out_->append(captured(statement.body).with_bits(generated_bit));
      break;
    case S::leave:
      return Flow::leave;
    case S::proceed:
      return Flow::proceed;
  }
  return Flow::next;
}

Interpreter::Flow Interpreter::execute_loop(const Statement& statement) {
  const Value iterable = evaluate(*statement.expression);
  const auto accepts = [&](const Value& item) {
    if (!statement.condition) return true;
    const ScopeChange inner(scope_);
    assign(statement.target, item);
    return evaluate(*statement.condition).truth();
  };
  const auto source = std::make_shared<LoopSource>(iterate(iterable), accepts);
  const auto loop = std::make_shared<Loop>(source);
  bool any = false;
  while (loop->advance()) {
    any = true;
    spend(1);
    note_message(loop->item());
    const ScopeChange inner(scope_);
    scope_->set("loop", Value(std::static_pointer_cast<Object>(loop)));
    assign(statement.target, loop->item());
    if (execute(statement.body) == Flow::leave) break;
  }
  source->detach();
  if (any) return Flow::next;
  const ScopeChange inner(scope_);
  return execute(statement.otherwise);
}

void Interpreter::execute_with(const Statement& statement) {
  std::vector<Value> values;
  for (const auto& [target, expression] : statement.assignments) values.push_back(evaluate(*expression));
  const ScopeChange inner(scope_);
  for (std::size_t i = 0; i < values.size(); ++i) assign(statement.assignments[i].first, values[i]);
  execute(statement.body);
}

void Interpreter::execute_call(const Statement& statement) {
  const Expression& call_expression = *statement.expression;
  const Value callee = evaluate(*call_expression.operands[0]);
  Arguments arguments = evaluate_arguments(call_expression);
  arguments.named.emplace_back("caller", callable_of(statement, "caller"));
  out_->append(made(str(call(callee, arguments))));
}

void Interpreter::define_macro(const Statement& statement) {
  captured_scopes_.push_back(scope_);
  scope_->set(statement.name, callable_of(statement, statement.name));
}

std::shared_ptr<const Callable> Interpreter::callable_of(const Statement& macro, std::string name) {
  return std::make_shared<const Callable>(
      Callable{std::move(name), [&macro, outer = scope_](Interpreter& self, Arguments& arguments) {
                 return Value(self.call_macro(macro, outer, arguments));
               }});
}

Text Interpreter::call_macro(const Statement& macro, const std::shared_ptr<Scope>& outer, Arguments& arguments) {
  const Deeper deeper(*this);
  const ScopeChange inside(scope_, outer);
  const std::size_t count = macro.parameters.size();
  List extra;
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    if (i < count) {
      scope_->set(macro.parameters[i].name, arguments.positional[i]);
    } else {
      extra.items.push_back(arguments.positional[i]);
    }
  }
  extra.tuple = true;
  Dict keywords;
  for (auto& [name, value] : arguments.named) {
    const auto parameter = std::find_if(macro.parameters.begin(), macro.parameters.end(),
                                        [&](const Parameter& one) { return one.name == name; });
    if (parameter == macro.parameters.end() && !(name == "caller" && macro.uses_caller)) {
      keywords.items.emplace_back(Value(name), value);
    } else {
      scope_->set(name, value);
    }
  }
  if (!extra.items.empty() && !macro.uses_varargs)
    fail("a macro called with more than its " + std::to_string(count) + " arguments");
  if (!keywords.items.empty() && !macro.uses_kwargs) fail("a macro called with an argument that it does not have");
  for (std::size_t i = 0; i < count; ++i) {
    const Parameter& parameter = macro.parameters[i];
    if (scope_->own(parameter.name)) continue;
    scope_->set(parameter.name, parameter.otherwise
                                    ? evaluate(*parameter.otherwise)
                                    : Value(Undefined{"parameter '" + parameter.name + "' was not provided"}));
  }
  scope_->set("varargs", std::move(extra));
  scope_->set("kwargs", std::move(keywords));
  return captured(macro.body);
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (!target.parts.empty()) {
    const std::vector<Value> parts = iterate(value);
    if (parts.size() != target.parts.size()) {
      fail(std::to_string(parts.size()) + " values for " + std::to_string(target.parts.size()) + " names");
    }
    for (std::size_t i = 0; i < parts.size(); ++i) assign(target.parts[i], parts[i]);
  } else if (target.field.empty()) {
    scope_->set(target.name, value);
  } else {
    const Value* space = scope_->find(target.name);
    if (!space || !space->is_namespace())
      fail("an assignment to a field of '" + target.name + "'", "a namespace object");
    space->space().fields.set(Value(target.field), value);
  }
}

Text Interpreter::captured(const Block& block) {
  const ScopeChange inner(scope_);
  Text text;
  Text* const outer = std::exchange(out_, &text);
  try {
    execute(block);
  } catch (...) {
    out_ = outer;
    throw;
  }
  out_ = outer;
  return text;
}

// ---- expressions

Value Interpreter::evaluate(const Expression& expression) {
  const Deeper deeper(*this);
  position_ = expression.position;
  spend(1);
  const auto operand = [&](std::size_t i) { return evaluate(*expression.operands[i]); };
  switch (expression.kind) {
    case Kind::constant:
      return expression.value;
    case Kind::name:
      return evaluate_name(expression);
    case Kind::list:
      return evaluate_list(expression, false);
    case Kind::tuple:
      return evaluate_list(expression, true);
    case Kind::dict:
      return evaluate_dict(expression);
    case Kind::attribute: {
      const Value object = operand(0);
      position_ = expression.position;
      return attribute(object, expression.name);
    }
    case Kind::item: {
      const Value object = operand(0), key = operand(1);
      position_ = expression.position;
      return item(object, key);
    }
    case Kind::slice:
      return evaluate_slice(expression);
    case Kind::call: {
      const Value callee = operand(0);
      Arguments arguments = evaluate_arguments(expression);
      position_ = expression.position;
      return call(callee, arguments);
    }
    case Kind::filter:
      return evaluate_filters(expression, Value());
    case Kind::test: {
      const Value value = operand(0);
      Arguments arguments = evaluate_arguments(expression);
      position_ = expression.position;
      return apply_test(*this, expression.name, value, arguments);
    }
    case Kind::negate:
      return negative(operand(0));
    case Kind::positive: {
      const Value value = operand(0);
      if (!value.is_number()) fail("a plus before " + std::string(value.type_name()));
      return value.is_bool() ? Value(value.integer()) : value;
    }
    case Kind::logical_not:
      return !operand(0).truth();
    case Kind::logical_and: {
      Value left = operand(0);
      return left.truth() ? operand(1) : left;
    }
    case Kind::logical_or: {
      Value left = operand(0);
      return left.truth() ? left : operand(1);
    }
    case Kind::conditional:
      if (operand(1).truth()) return operand(0);
      if (expression.operands[2]) return operand(2);
      return Undefined{"the conditional expression has no else, and its condition is false"};
    case Kind::compare:
      return evaluate_compare(expression);
    case Kind::concatenate:
      return evaluate_concatenation(expression);
    case Kind::arithmetic: {
      const Value left = operand(0), right = operand(1);
      position_ = expression.position;
      return arithmetic(expression.operators[0], left, right);
    }
  }
  return {};
}

Value Interpreter::evaluate_name(const Expression& expression) {
  if (const Value* found = scope_->find(expression.name)) return *found;
  if (auto builtin = global(expression.name)) return *builtin;
  return Undefined{"'" + expression.name + "' is undefined"};
}

Value Interpreter::evaluate_list(const Expression& expression, bool tuple) {
  List list;
  list.tuple = tuple;
  for (const ExpressionPtr& operand : expression.operands) list.items.push_back(evaluate(*operand));
  return list;
}

Value Interpreter::evaluate_dict(const Expression& expression) {
  Dict dict;
  for (std::size_t i = 0; i < expression.operands.size(); i += 2) {
    Value key = evaluate(*expression.operands[i]);
    if ((key.is_list() && !key.is_tuple()) || key.is_dict()) fail("a " + std::string(key.type_name()) + " as a key");
    dict.set(std::move(key), evaluate(*expression.operands[i + 1]));
  }
  return dict;
}

Value Interpreter::evaluate_compare(const Expression& expression) {
  Value left = evaluate(*expression.operands[0]);
  for (std::size_t i = 0; i < expression.operators.size(); ++i) {
    const std::string& operation = expression.operators[i];
    Value right = evaluate(*expression.operands[i + 1]);
    position_ = expression.position;
    bool holds = false;
    if (operation == "==") {
      holds = left.equals(right);
    } else if (operation == "!=") {
      holds = !left.equals(right);
    } else if (operation == "in") {
      holds = contains(right, left);
    } else if (operation == "not in") {
      holds = !contains(right, left);
    } else {
      const int order = compare(left, right, operation);
      holds = operation == "<" ? order < 0 : operation == "<=" ? order <= 0 : operation == ">" ? order > 0 : order >= 0;
    }
    if (!holds) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::evaluate_concatenation(const Expression& expression) {
  Text text;
  for (const ExpressionPtr& operand : expression.operands) text.append(str(evaluate(*operand)));
  return made(std::move(text));
}

Arguments Interpreter::evaluate_arguments(const Expression& call) {
  Arguments arguments;
  for (std::size_t i = 1; i < call.operands.size(); ++i) arguments.positional.push_back(evaluate(*call.operands[i]));
  for (const auto& [name, expression] : call.named) arguments.named.emplace_back(name, evaluate(*expression));
  return arguments;
}

Value Interpreter::evaluate_filters(const Expression& chain, const Value& block_text) {
  if (chain.kind != Kind::filter) return evaluate(chain);
  const Deeper deeper(*this);
  const Value value = chain.operands[0] ? evaluate_filters(*chain.operands[0], block_text) : block_text;
  Arguments arguments = evaluate_arguments(chain);
  position_ = chain.position;
  return apply_filter(*this, chain.name, value, arguments);
}

Value Interpreter::call(const Value& callee, Arguments& arguments) {
  if (callee.is_undefined()) fail("a call of something that is not there: " + callee.undefined().what);
  if (!callee.is_callable()) fail("a call of a " + std::string(callee.type_name()));
  const Deeper deeper(*this);
  return callee.callable().call(*this, arguments);
}

}  // namespace attune::jinja
