// The tokens of a template on their way through the parser, with the limits of nesting.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/text/jinja/lexer.h"

namespace attune::jinja {

inline constexpr int deepest = 200;  // nested expressions and blocks
inline constexpr int longest_chain =
    400;  // a + b + c ..., a.b.c ..., elif ...: they nest to the left when run and freed

// What both halves of the parser stand on.
class Tokens {
 public:
  Tokens(std::vector<Token> tokens, const std::string& file) : tokens_(std::move(tokens)), file_(file) {}

 protected:
  const Token& now() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take() { return now().type == Token::Type::end ? now() : tokens_[at_++]; }
  bool at(Token::Type type) const { return now().type == type; }
  bool at_symbol(std::string_view text) const { return at(Token::Type::symbol) && now().text == text; }
  bool at_name(std::string_view text) const { return at(Token::Type::name) && now().text == text; }
  bool skip_symbol(std::string_view text) { return at_symbol(text) && (take(), true); }
  bool skip_name(std::string_view text) { return at_name(text) && (take(), true); }

  std::string describe() const {
    switch (now().type) {
      case Token::Type::end:
        return "the end of the template";
      case Token::Type::data:
        return "text";
      case Token::Type::block_end:
      case Token::Type::print_end:
        return "the end of the tag";
      case Token::Type::string:
        return "a string";
      default:
        return now().text.empty() ? "a tag" : "'" + now().text + "'";
    }
  }
  [[noreturn]] void fail(const std::string& found, const std::string& expected = {}) const {
    fail_at(file_, now().position, found, expected);
  }
  void expect_symbol(std::string_view text) {
    if (!skip_symbol(text)) fail(describe(), "'" + std::string(text) + "'");
  }
  void expect_name(std::string_view text) {
    if (!skip_name(text)) fail(describe(), "'" + std::string(text) + "'");
  }
  std::string take_name(std::string_view what) {
    if (!at(Token::Type::name)) fail(describe(), std::string(what));
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

}  // namespace attune::jinja
