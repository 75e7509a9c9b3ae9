// Template text to tokens, with the whitespace rules of trim_blocks and lstrip_blocks as jinja2 3.1 has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/text/jinja/syntax.h"

namespace attune::jinja {

struct Token {
  enum class Type { data, block_begin, block_end, print_begin, print_end, name, string, integer, number, symbol, end };
  Type type = Type::end;
  std::string text = {};  // of strings: what they stand for
  Position position = {};
};

// Throws FormatError with `file` and the line.
std::vector<Token> tokenize(std::string_view source, const std::string& file);

// The error of every problem in a template: FormatError at file:line, with the column.
[[noreturn]] void fail_at(const std::string& file, Position position, const std::string& found,
                          const std::string& expected = {}, const std::string& remedy = {});

}  // namespace attune::jinja
