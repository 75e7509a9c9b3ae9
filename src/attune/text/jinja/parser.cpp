#include "attune/text/jinja/parser.h"

#include <initializer_list>

#include "attune/text/jinja/expression_parser.h"

namespace attune::jinja {
namespace {

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
      if (name == known)
        fail_at(file_, position, "the tag '" + name + "'", "a template that stands alone, as chat templates do");
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
      return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(begin),
                         tokens_.begin() + static_cast<std::ptrdiff_t>(at_),
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

Block parse(std::string_view source, const std::string& file) {
  return Parser(tokenize(source, file), file).parse_template();
}

}  // namespace attune::jinja
