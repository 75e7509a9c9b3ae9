// The half of the parser that reads expressions, with the precedences of jinja2's (parser.py of version 3.1).
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <memory>
#include <span>

#include "attune/base/errors.h"
#include "attune/text/jinja/builtins.h"
#include "attune/text/jinja/token_stream.h"

namespace attune::jinja {

inline ExpressionPtr make(Expression::Kind kind, Position position) {
  auto expression = std::make_unique<Expression>();
  expression->kind = kind;
  expression->position = position;
  return expression;
}

template <class... Operands>
ExpressionPtr make(Expression::Kind kind, Position position, Operands... operands) {
  ExpressionPtr expression = make(kind, position);
  (expression->operands.push_back(std::move(operands)), ...);
  return expression;
}

class ExpressionParser : public Tokens {
 public:
  using Tokens::Tokens;
  using Kind = Expression::Kind;
  using Type = Token::Type;

 protected:
  // expression | expression, expression ...: a tuple. Without `conditional`, `x if y` stays unread.
  ExpressionPtr tuple(bool conditional = true) {
    const Position position = now().position;
    ExpressionPtr first = conditional ? expression() : logical_or();
    if (!at_symbol(",")) return first;
    ExpressionPtr result = make(Kind::tuple, position);
    result->operands.push_back(std::move(first));
    while (skip_symbol(",")) {
      if (at(Type::block_end) || at(Type::print_end) || at_symbol(")")) break;
      result->operands.push_back(conditional ? expression() : logical_or());
    }
    return result;
  }

  ExpressionPtr expression() {
    const Level level(*this);
    const Position position = now().position;
    ExpressionPtr value = logical_or();
    for (int links = 0; skip_name("if"); link(links)) {
      ExpressionPtr condition = logical_or();
      ExpressionPtr otherwise = skip_name("else") ? expression() : nullptr;
      value = make(Kind::conditional, position, std::move(value), std::move(condition), std::move(otherwise));
    }
    return value;
  }

  // | name(arguments) ...: applied to `value`, which is null for a block's text.
  ExpressionPtr filter_chain(ExpressionPtr value, bool inline_start) {
    for (int links = 0; inline_start || at_symbol("|"); link(links)) {
      if (!std::exchange(inline_start, false)) take();
      const Position position = now().position;
      value = make(Kind::filter, position, std::move(value));
      value->name = take_name("the name of a filter");
      if (!is_filter(value->name)) unknown("filter", value->name, filter_names(), position);
      if (at_symbol("(")) arguments(*value);
    }
    return value;
  }

  void arguments(Expression& call) {
    expect_symbol("(");
    while (!at_symbol(")")) {
      if (at_symbol("*") || at_symbol("**")) fail("unpacked arguments", "plain ones");
      if (at(Type::name) && ahead().type == Type::symbol && ahead().text == "=") {
        std::string name = take().text;
        take();
        call.named.emplace_back(std::move(name), expression());
      } else {
        if (!call.named.empty()) fail("a positional argument behind a named one");
        call.operands.push_back(expression());
      }
      if (!skip_symbol(",")) break;
    }
    expect_symbol(")");
  }

  ExpressionPtr postfix(ExpressionPtr value) {
    for (int links = 0;; link(links)) {
      const Position position = now().position;
      if (skip_symbol(".")) {
        value = member(std::move(value), position);
      } else if (at_symbol("[")) {
        take();
        value = subscript(std::move(value), position);
      } else if (at_symbol("(")) {
        value = make(Kind::call, position, std::move(value));
        arguments(*value);
      } else {
        return value;
      }
    }
  }

 private:
  [[noreturn]] void unknown(const std::string& what, const std::string& name, std::span<const std::string_view> names,
                            Position position) const {
    const std::string near = nearest(name, names);
    fail_at(file_, position, "the unknown " + what + " '" + name + "'", near.empty() ? "" : "'" + near + "'?");
  }

  template <class Operand>
  ExpressionPtr left_to_right(Kind kind, std::initializer_list<std::string_view> symbols, Operand operand) {
    const Position position = now().position;
    ExpressionPtr left = operand();
    for (int links = 0;; link(links)) {
      const auto symbol =
          std::find_if(symbols.begin(), symbols.end(), [&](std::string_view one) { return at_symbol(one); });
      if (symbol == symbols.end()) return left;
      take();
      left = make(kind, position, std::move(left), operand());
      left->operators.emplace_back(*symbol);
    }
  }

  ExpressionPtr logical_or() {
    const Position position = now().position;
    ExpressionPtr left = logical_and();
    for (int links = 0; skip_name("or"); link(links))
      left = make(Kind::logical_or, position, std::move(left), logical_and());
    return left;
  }
  ExpressionPtr logical_and() {
    const Position position = now().position;
    ExpressionPtr left = logical_not();
    for (int links = 0; skip_name("and"); link(links))
      left = make(Kind::logical_and, position, std::move(left), logical_not());
    return left;
  }
  ExpressionPtr logical_not() {
    const Position position = now().position;
    if (!skip_name("not")) return comparison();
    const Level level(*this);
    return make(Kind::logical_not, position, logical_not());
  }

  ExpressionPtr comparison() {
    const Position position = now().position;
    ExpressionPtr left = sum();
    ExpressionPtr chain;
    for (;;) {
      std::string symbol;
      if (at(Type::symbol) && std::ranges::count(std::array{"==", "!=", "<", "<=", ">", ">="}, now().text)) {
        symbol = take().text;
      } else if (skip_name("in")) {
        symbol = "in";
      } else if (at_name("not") && ahead().type == Type::name && ahead().text == "in") {
        take(), take();
        symbol = "not in";
      } else {
        return chain ? std::move(chain) : std::move(left);
      }
      if (!chain) chain = make(Kind::compare, position, std::move(left));
      chain->operators.push_back(std::move(symbol));
      chain->operands.push_back(sum());
    }
  }

  ExpressionPtr sum() {
    return left_to_right(Kind::arithmetic, {"+", "-"}, [this] { return concatenation(); });
  }

  ExpressionPtr concatenation() {
    const Position position = now().position;
    ExpressionPtr first = product();
    if (!at_symbol("~")) return first;
    ExpressionPtr result = make(Kind::concatenate, position, std::move(first));
    while (skip_symbol("~")) result->operands.push_back(product());
    return result;
  }

  ExpressionPtr product() {
    return left_to_right(Kind::arithmetic, {"*", "/", "//", "%"}, [this] { return power(); });
  }
  ExpressionPtr power() {
    return left_to_right(Kind::arithmetic, {"**"}, [this] { return unary(true); });
  }

  ExpressionPtr unary(bool with_filter) {
    const Level level(*this);
    const Position position = now().position;
    ExpressionPtr value;
    if (skip_symbol("-")) {
      value = make(Kind::negate, position, unary(false));
    } else if (skip_symbol("+")) {
      value = make(Kind::positive, position, unary(false));
    } else {
      value = primary();
    }
    value = postfix(std::move(value));
    return with_filter ? filters_and_tests(std::move(value)) : std::move(value);
  }

  ExpressionPtr filters_and_tests(ExpressionPtr value) {
    for (int links = 0;; link(links)) {
      const Position position = now().position;
      if (at_symbol("|")) {
        value = filter_chain(std::move(value), false);
      } else if (skip_name("is")) {
        value = test(std::move(value), position);
      } else if (at_symbol("(")) {
        value = make(Kind::call, position, std::move(value));
        arguments(*value);
      } else {
        return value;
      }
    }
  }

  ExpressionPtr test(ExpressionPtr value, Position position) {
    const bool negated = skip_name("not");
    ExpressionPtr result = make(Kind::test, position, std::move(value));
    const Position name_position = now().position;
    result->name = at_symbol("==") || at_symbol("!=") ? take().text : take_name("the name of a test");
    if (!is_test(result->name)) unknown("test", result->name, test_names(), name_position);
    if (at_symbol("(")) {
      arguments(*result);
    } else if ((at(Type::name) && !at_name("else") && !at_name("or") && !at_name("and") && !at_name("if") &&
                !at_name("is") && !at_name("not") && !at_name("in")) ||
               at(Type::string) || at(Type::integer) || at(Type::number) || at_symbol("[") || at_symbol("{")) {
      result->operands.push_back(postfix(primary()));
    }
    return negated ? make(Kind::logical_not, position, std::move(result)) : std::move(result);
  }

  ExpressionPtr member(ExpressionPtr value, Position position) {
    if (at(Type::integer)) {
      ExpressionPtr index = make(Kind::constant, now().position);
      index->value = integer(take());
      return make(Kind::item, position, std::move(value), std::move(index));
    }
    ExpressionPtr result = make(Kind::attribute, position, std::move(value));
    result->name = take_name("the name of an attribute");
    if (result->name.starts_with("__"))
      fail_at(file_, position, "the attribute '" + result->name + "'", "names without leading underscores");
    return result;
  }

  ExpressionPtr subscript(ExpressionPtr value, Position position) {
    ExpressionPtr parts[3];
    int colons = 0;
    for (;;) {
      if (skip_symbol(":")) {
        if (++colons > 2) fail("a third ':'", "']'");
      } else if (at_symbol("]")) {
        break;
      } else if (!parts[colons]) {
        parts[colons] = expression();
      } else {
        fail(describe(), "']'");
      }
    }
    take();
    if (colons > 0)
      return make(Kind::slice, position, std::move(value), std::move(parts[0]), std::move(parts[1]),
                  std::move(parts[2]));
    if (!parts[0]) fail("an empty subscript");
    return make(Kind::item, position, std::move(value), std::move(parts[0]));
  }

  Value integer(const Token& token) const {
    std::int64_t value = 0;
    const auto read = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
    if (read.ec != std::errc()) fail_at(file_, token.position, "an integer beyond 64 bits");
    return value;
  }

  ExpressionPtr primary() {
    const Position position = now().position;
    ExpressionPtr result = make(Kind::constant, position);
    switch (now().type) {
      case Type::name:
        return name();
      case Type::integer:
        result->value = integer(take());
        return result;
      case Type::number: {
        double value = 0;
        const std::string text = take().text;
        std::from_chars(text.data(), text.data() + text.size(), value);
        result->value = value;
        return result;
      }
      case Type::string: {
        std::string text = take().text;
        while (at(Type::string)) text += take().text;
        result->value = Value(std::move(text));
        return result;
      }
      default:
        break;
    }
    if (skip_symbol("(")) return parenthesised(position);
    if (skip_symbol("[")) return list(position);
    if (skip_symbol("{")) return dict(position);
    fail(describe(), "an expression");
  }

  ExpressionPtr name() {
    const Token token = take();
    ExpressionPtr result = make(Kind::constant, token.position);
    const std::string& text = token.text;
    if (text == "true" || text == "True" || text == "false" || text == "False") {
      result->value = text == "true" || text == "True";
    } else if (text == "none" || text == "None") {
      result->value = None{};
    } else {
      for (const char* keyword : {"and", "or", "not", "in", "is", "if", "else", "elif", "for"}) {
        if (text == keyword) fail_at(file_, token.position, "'" + text + "'", "an expression");
      }
      result->kind = Kind::name;
      result->name = text;
    }
    return result;
  }

  ExpressionPtr parenthesised(Position position) {
    if (skip_symbol(")")) return make(Kind::tuple, position);
    const Level level(*this);
    ExpressionPtr value = tuple();
    expect_symbol(")");
    return value;
  }

  ExpressionPtr list(Position position) {
    const Level level(*this);
    ExpressionPtr result = make(Kind::list, position);
    while (!at_symbol("]")) {
      result->operands.push_back(expression());
      if (!skip_symbol(",")) break;
    }
    expect_symbol("]");
    return result;
  }

  ExpressionPtr dict(Position position) {
    const Level level(*this);
    ExpressionPtr result = make(Kind::dict, position);
    while (!at_symbol("}")) {
      result->operands.push_back(expression());
      expect_symbol(":");
      result->operands.push_back(expression());
      if (!skip_symbol(",")) break;
    }
    expect_symbol("}");
    return result;
  }
};

}  // namespace attune::jinja
