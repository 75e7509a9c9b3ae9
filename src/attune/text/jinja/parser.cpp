#include "attune/text/jinja/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <span>

#include "attune/base/errors.h"
#include "attune/text/jinja/builtins.h"
#include "attune/text/jinja/lexer.h"

namespace attune::jinja {
namespace {

using Kind = Expression::Kind;
using Type = Token::Type;

constexpr int deepest = 200;        // nested expressions and blocks
constexpr int longest_chain = 400;  // a + b + c ..., a.b.c ..., elif ...: they nest to the left when run and freed

ExpressionPtr make(Kind kind, Position position) {
  auto expression = std::make_unique<Expression>();
  expression->kind = kind;
  expression->position = position;
  return expression;
}

template <class... Operands>
ExpressionPtr make(Kind kind, Position position, Operands... operands) {
  ExpressionPtr expression = make(kind, position);
  (expression->operands.push_back(std::move(operands)), ...);
  return expression;
}

class Tokens {
 public:
  Tokens(std::vector<Token> tokens, const std::string& file) : tokens_(std::move(tokens)), file_(file) {}

 protected:
  const Token& now() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take() { return now().type == Type::end ? now() : tokens_[at_++]; }
  bool at(Type type) const { return now().type == type; }
  bool at_symbol(std::string_view text) const { return at(Type::symbol) && now().text == text; }
  bool at_name(std::string_view text) const { return at(Type::name) && now().text == text; }
  bool skip_symbol(std::string_view text) { return at_symbol(text) && (take(), true); }
  bool skip_name(std::string_view text) { return at_name(text) && (take(), true); }

  std::string describe() const {
    switch (now().type) {
      case Type::end: return "the end of the template";
      case Type::data: return "text";
      case Type::block_end: case Type::print_end: return "the end of the tag";
      case Type::string: return "a string";
      default: return now().text.empty() ? "a tag" : "'" + now().text + "'";
    }
  }
  [[noreturn]] void fail(const std::string& found, const std::string& expected = {}) const { fail_at(file_, now().position, found, expected); }
  void expect_symbol(std::string_view text) {
    if (!skip_symbol(text)) fail(describe(), "'" + std::string(text) + "'");
  }
  void expect_name(std::string_view text) {
    if (!skip_name(text)) fail(describe(), "'" + std::string(text) + "'");
  }
  std::string take_name(std::string_view what) {
    if (!at(Type::name)) fail(describe(), std::string(what));
    return take().text;
  }

  void link(int& links) const {
    if (++links > longest_chain) fail("a chain of more than " + std::to_string(longest_chain) + " parts");
  }

  // Counts nesting while it lives.
  class Level {
   public:
    explicit Level(Tokens& tokens) : tokens_(tokens) {
      if (++tokens_.depth_ > deepest) tokens_.fail("more than " + std::to_string(deepest) + " nested parts");
    }
    ~Level() { --tokens_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Tokens& tokens_;
  };

  std::vector<Token> tokens_;
  std::string file_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

class ExpressionParser : public Tokens {
 public:
  using Tokens::Tokens;

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
  [[noreturn]] void unknown(const std::string& what, const std::string& name, std::span<const std::string_view> names, Position position) const {
    const std::string near = nearest(name, names);
    fail_at(file_, position, "the unknown " + what + " '" + name + "'", near.empty() ? "" : "'" + near + "'?");
  }

  template <class Operand>
  ExpressionPtr left_to_right(Kind kind, std::initializer_list<std::string_view> symbols, Operand operand) {
    const Position position = now().position;
    ExpressionPtr left = operand();
    for (int links = 0;; link(links)) {
      const auto symbol = std::find_if(symbols.begin(), symbols.end(), [&](std::string_view one) { return at_symbol(one); });
      if (symbol == symbols.end()) return left;
      take();
      left = make(kind, position, std::move(left), operand());
      left->operators.emplace_back(*symbol);
    }
  }

  ExpressionPtr logical_or() {
    const Position position = now().position;
    ExpressionPtr left = logical_and();
    for (int links = 0; skip_name("or"); link(links)) left = make(Kind::logical_or, position, std::move(left), logical_and());
    return left;
  }
  ExpressionPtr logical_and() {
    const Position position = now().position;
    ExpressionPtr left = logical_not();
    for (int links = 0; skip_name("and"); link(links)) left = make(Kind::logical_and, position, std::move(left), logical_not());
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

  ExpressionPtr sum() { return left_to_right(Kind::arithmetic, {"+", "-"}, [this] { return concatenation(); }); }

  ExpressionPtr concatenation() {
    const Position position = now().position;
    ExpressionPtr first = product();
    if (!at_symbol("~")) return first;
    ExpressionPtr result = make(Kind::concatenate, position, std::move(first));
    while (skip_symbol("~")) result->operands.push_back(product());
    return result;
  }

  ExpressionPtr product() { return left_to_right(Kind::arithmetic, {"*", "/", "//", "%"}, [this] { return power(); }); }
  ExpressionPtr power() { return left_to_right(Kind::arithmetic, {"**"}, [this] { return unary(true); }); }

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
    } else if ((at(Type::name) && !at_name("else") && !at_name("or") && !at_name("and") && !at_name("if") && !at_name("is") &&
                !at_name("not") && !at_name("in")) ||
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
    if (result->name.starts_with("__")) fail_at(file_, position, "the attribute '" + result->name + "'", "names without leading underscores");
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
    if (colons > 0) return make(Kind::slice, position, std::move(value), std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
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
      case Type::name: return name();
      case Type::integer: result->value = integer(take()); return result;
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
      default: break;
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

class Parser final : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Block parse_template() {
    Block block = body({});
    if (!at(Type::end)) fail(describe());
    return block;
  }

 private:
  using S = Statement::Kind;

  std::unique_ptr<Statement> statement(S kind) const {
    auto result = std::make_unique<Statement>();
    result->kind = kind;
    result->position = now().position;
    return result;
  }

  // Statements up to a tag named in `ends`, whose name is the next token then.
  Block body(std::initializer_list<std::string_view> ends) {
    const Level level(*this);
    Block block;
    for (;;) {
      if (at(Type::data)) {
        block.push_back(statement(S::data));
        block.back()->text = take().text;
      } else if (at(Type::print_begin)) {
        take();
        block.push_back(statement(S::print));
        block.back()->expression = tuple();
        if (!at(Type::print_end)) fail(describe(), "'}}'");
        take();
      } else if (at(Type::block_begin)) {
        take();
        if (std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return at_name(end); })) return block;
        block.push_back(tag(ends));
        end_tag();
      } else {
        if (ends.size() > 0) fail(describe(), "{% " + std::string(*(ends.end() - 1)) + " %}");
        return block;
      }
    }
  }

  void end_tag() {
    if (!at(Type::block_end)) fail(describe(), "'%}'");
    take();
  }
  Block body_to(std::string_view end) {
    end_tag();
    Block block = body({end});
    take();
    return block;
  }

  std::unique_ptr<Statement> tag(std::initializer_list<std::string_view> ends) {
    const Position position = now().position;
    const std::string name = take_name("the name of a tag");
    if (name == "if") return branch("endif");
    if (name == "for") return loop();
    if (name == "set") return assign();
    if (name == "macro") return macro();
    if (name == "call") return call_block();
    if (name == "filter") return filter_block();
    if (name == "with") return with();
    if (name == "generation") {
      auto result = statement(S::generation);
      result->body = detached_body("endgeneration");
      return result;
    }
    if (name == "break" || name == "continue") {
      if (loops_ == 0) fail_at(file_, position, "'" + name + "' outside a loop");
      return statement(name == "break" ? S::leave : S::proceed);
    }
    for (const char* known : {"import", "from", "include", "extends", "block", "autoescape", "do", "trans"}) {
      if (name == known) fail_at(file_, position, "the tag '" + name + "'", "a template that stands alone, as chat templates do");
    }
    const std::string wanted = ends.size() ? "{% " + std::string(*(ends.end() - 1)) + " %}" : "a known tag";
    fail_at(file_, position, "the unknown tag '" + name + "'", wanted);
  }

  std::unique_ptr<Statement> branch(std::string_view end) {
    auto result = statement(S::branch);
    result->expression = tuple(false);
    end_tag();
    result->body = body({"elif", "else", end});
    auto* last = result.get();
    for (int links = 0; skip_name("elif"); link(links)) {
      auto next = statement(S::branch);
      next->expression = tuple(false);
      end_tag();
      next->body = body({"elif", "else", end});
      auto* place = next.get();
      last->otherwise.push_back(std::move(next));
      last = place;
    }
    if (skip_name("else")) {
      end_tag();
      last->otherwise = body({end});
    }
    take();
    return result;
  }

  std::unique_ptr<Statement> loop() {
    auto result = statement(S::loop);
    result->target = target(false);
    expect_name("in");
    result->expression = tuple(false);
    if (skip_name("if")) result->condition = expression();
    if (at_name("recursive")) fail("a recursive loop", "a macro that calls itself");
    end_tag();
    ++loops_;
    result->body = body({"else", "endfor"});
    --loops_;
    if (skip_name("else")) {
      end_tag();
      result->otherwise = body({"endfor"});
    }
    take();
    return result;
  }

  Target target(bool with_field) {
    Target first = single_target(with_field);
    if (!at_symbol(",")) return first;
    Target result;
    result.parts.push_back(std::move(first));
    while (skip_symbol(",") && !at_name("in") && !at_symbol("=")) result.parts.push_back(single_target(with_field));
    return result;
  }

  Target single_target(bool with_field) {
    if (skip_symbol("(")) {
      const Level level(*this);
      Target result = target(with_field);
      expect_symbol(")");
      return result;
    }
    const Position position = now().position;
    Target result;
    result.name = take_name("a name");
    for (const char* reserved : {"true", "false", "none", "True", "False", "None"}) {
      if (result.name == reserved) fail_at(file_, position, "an assignment to '" + result.name + "'", "a name");
    }
    if (with_field && skip_symbol(".")) result.field = take_name("the name of a field");
    if (result.field.starts_with('_')) fail_at(file_, position, "a field that begins with '_'", "another name");
    return result;
  }

  std::unique_ptr<Statement> assign() {
    auto result = statement(S::assign);
    result->target = target(true);
    if (skip_symbol("=")) {
      result->expression = tuple();
      return result;
    }
    result->kind = S::assign_block;
    if (at_symbol("|")) result->filters = filter_chain(nullptr, false);
    result->body = body_to("endset");
    return result;
  }

  void parameters(Statement& macro) {
    expect_symbol("(");
    while (!at_symbol(")")) {
      Parameter parameter = {take_name("the name of a parameter"), nullptr};
      if (skip_symbol("=")) {
        parameter.otherwise = expression();
      } else if (!macro.parameters.empty() && macro.parameters.back().otherwise) {
        fail("a parameter without default behind one with a default");
      }
      macro.parameters.push_back(std::move(parameter));
      if (!skip_symbol(",")) break;
    }
    expect_symbol(")");
  }

  Block detached_body(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Block block = body_to(end);
    loops_ = loops;
    return block;
  }

  void note_special_names(Statement& macro, std::size_t begin) const {
    const auto used = [&](std::string_view name) {
      return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(begin), tokens_.begin() + static_cast<std::ptrdiff_t>(at_),
                         [&](const Token& token) { return token.type == Type::name && token.text == name; });
    };
    macro.uses_varargs = used("varargs");
    macro.uses_kwargs = used("kwargs");
    macro.uses_caller = used("caller");
  }

  std::unique_ptr<Statement> macro() {
    auto result = statement(S::macro);
    result->name = take_name("the name of a macro");
    const std::size_t begin = at_;
    parameters(*result);
    result->body = detached_body("endmacro");
    note_special_names(*result, begin);
    return result;
  }

  std::unique_ptr<Statement> call_block() {
    auto result = statement(S::call_block);
    if (at_symbol("(")) parameters(*result);
    result->expression = expression();
    if (result->expression->kind != Kind::call) fail_at(file_, result->position, "no call", "{% call macro(...) %}");
    const std::size_t begin = at_;
    result->body = detached_body("endcall");
    note_special_names(*result, begin);
    return result;
  }

  std::unique_ptr<Statement> filter_block() {
    auto result = statement(S::filter_block);
    result->filters = filter_chain(nullptr, true);
    result->body = detached_body("endfilter");
    return result;
  }

  std::unique_ptr<Statement> with() {
    auto result = statement(S::with);
    while (!at(Type::block_end)) {
      Target name = single_target(false);
      expect_symbol("=");
      result->assignments.emplace_back(std::move(name), expression());
      if (!skip_symbol(",")) break;
    }
    result->body = body_to("endwith");
    return result;
  }

  int loops_ = 0;
};

}  // namespace

Block parse(std::string_view source, const std::string& file) { return Parser(tokenize(source, file), file).parse_template(); }

}  // namespace attune::jinja
