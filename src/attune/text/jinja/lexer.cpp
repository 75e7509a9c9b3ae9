#include "attune/text/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "attune/base/errors.h"
#include "attune/text/unicode.h"

namespace attune::jinja {
namespace {

// Line ends become \n, and one at the very end goes, as in jinja2.
std::string normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      text += source[i];
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  Lexer(std::string source, const std::string& file) : source_(std::move(source)), file_(file) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) {
      const std::size_t open = next_opening();
      if (open == source_.npos) {
        data(at_, source_.size());
        break;
      }
      const char kind = source_[open + 1];
      std::size_t inside = open + 2;
      const char sign =
          inside < source_.size() && (source_[inside] == '-' || source_[inside] == '+') ? source_[inside] : ' ';
      if (sign != ' ') ++inside;
      data_before(open, sign, kind != '{');
      tag_ = open;
      at_ = inside;
      if (kind == '#') {
        comment();
      } else if (kind == '{') {
        code(Token::Type::print_begin, Token::Type::print_end, "}}");
      } else if (!raw()) {
        code(Token::Type::block_begin, Token::Type::block_end, "%}");
      }
      line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
    }
    push(Token::Type::end, {}, source_.size());
    return std::move(tokens_);
  }

 private:
  // Of ascending places.
  Position position(std::size_t at) {
    for (; counted_ < at; ++counted_) {
      if (source_[counted_] == '\n') {
        ++line_;
        line_begin_ = counted_ + 1;
      }
    }
    return {line_, static_cast<int>(at - std::min(line_begin_, at)) + 1};
  }
  void push(Token::Type type, std::string text, std::size_t at) {
    tokens_.push_back({type, std::move(text), position(at)});
  }
  [[noreturn]] void fail(std::size_t at, const std::string& found, const std::string& expected = {}) {
    counted_ = line_begin_ = 0;  // `at` may lie before what was counted
    line_ = 1;
    fail_at(file_, position(at), found, expected);
  }

  bool looking_at(std::string_view text) const { return std::string_view(source_).substr(at_).starts_with(text); }

  std::size_t next_opening() const {
    for (std::size_t at = source_.find('{', at_); at != source_.npos; at = source_.find('{', at + 1)) {
      if (at + 1 < source_.size() && (source_[at + 1] == '{' || source_[at + 1] == '%' || source_[at + 1] == '#'))
        return at;
    }
    return source_.npos;
  }

  void data(std::size_t begin, std::size_t end) {
    if (begin < end) push(Token::Type::data, source_.substr(begin, end - begin), begin);
  }

  // The text before a tag: '-' takes all blanks at its end, and before blocks and comments lstrip_blocks takes a line's
  // leading blanks.
  void data_before(std::size_t open, char sign, bool block) {
    std::size_t end = open;
    const std::string_view text = std::string_view(source_).substr(0, open);
    if (sign == '-') {
      end = at_ + stripped_size(text.substr(at_));
    } else if (sign != '+' && block) {
      const std::size_t new_line = text.rfind('\n');
      const bool whole_line = new_line != text.npos && new_line >= at_;
      const std::size_t line = whole_line ? new_line + 1 : at_;
      if ((whole_line || line_starting_) && stripped_size(text.substr(line)) == 0) end = line;
    }
    data(at_, end);
  }

  static std::size_t stripped_size(std::string_view text) {
    while (!text.empty()) {
      const CodePoint last = code_point_before(text, text.size());
      if (!is_python_space(last.value)) break;
      text.remove_suffix(last.size);
    }
    return text.size();
  }

  void skip_blanks() {
    for (CodePoint c = code_point_at(source_, at_); c.size && is_python_space(c.value); c = code_point_at(source_, at_))
      at_ += c.size;
  }

  // Behind the closing marker, whose sign stood before it: '-' takes the blanks that follow, trim_blocks one line end.
  void close(std::size_t size, char sign, bool trim) {
    at_ += size;
    if (sign == '-') {
      skip_blanks();
    } else if (sign != '+' && trim && at_ < source_.size() && source_[at_] == '\n') {
      ++at_;
    }
  }

  void comment() {
    const std::size_t end = source_.find("#}", at_);
    if (end == source_.npos) fail(tag_, "a comment without an end", "#}");
    const char before = end > at_ ? source_[end - 1] : ' ';
    at_ = end;
    close(2, before == '-' || before == '+' ? before : ' ', true);
  }

  // {% raw %} ... {% endraw %}: true if this tag is one.
  bool raw() {
    const std::size_t begin = at_;
    const char sign = raw_tag("raw");
    if (sign == '\0') return false;
    if (sign == '-') skip_blanks();
    for (std::size_t open = source_.find("{%", at_); open != source_.npos; open = source_.find("{%", open + 1)) {
      const std::size_t body = at_;
      std::size_t inside = open + 2;
      const char open_sign =
          inside < source_.size() && (source_[inside] == '-' || source_[inside] == '+') ? source_[inside] : ' ';
      if (open_sign != ' ') ++inside;
      at_ = inside;
      const char end_sign = raw_tag("endraw");
      const std::size_t behind = at_;
      at_ = body;
      if (end_sign == '\0') continue;
      line_starting_ = body > 0 && source_[body - 1] == '\n';
      data_before(open, open_sign, true);
      at_ = behind;
      close(0, end_sign, true);
      return true;
    }
    fail(begin, "a raw block without an end", "{% endraw %}");
  }

  // Consumes `WORD %}` and answers the closing sign (' ', '-', '+'), or leaves everything and answers 0.
  char raw_tag(std::string_view word) {
    const std::size_t begin = at_;
    skip_blanks();
    if (looking_at(word)) {
      at_ += word.size();
      skip_blanks();
      const char sign = looking_at("-%}") ? '-' : looking_at("+%}") ? '+' : ' ';
      if (sign != ' ') ++at_;
      if (looking_at("%}") && !(word == "raw" && sign == '+')) {
        at_ += 2;
        return sign;
      }
    }
    at_ = begin;
    return '\0';
  }

  void code(Token::Type begin, Token::Type end, std::string_view closing) {
    push(begin, {}, tag_);
    brackets_.clear();
    for (;;) {
      skip_blanks();
      if (at_ >= source_.size()) fail(tag_, "a tag without an end", std::string(closing));
      if (brackets_.empty()) {
        const bool block = end == Token::Type::block_end;
        const bool signed_end = std::string_view(source_).substr(at_ + 1).starts_with(closing) &&
                                (source_[at_] == '-' || (block && source_[at_] == '+'));
        if (signed_end || looking_at(closing)) {
          push(end, {}, at_);
          close(signed_end ? 3 : 2, signed_end ? source_[at_] : ' ', block);
          return;
        }
      }
      token();
    }
  }

  void token() {
    const char c = source_[at_];
    const CodePoint code_point = code_point_at(source_, at_);
    if (c >= '0' && c <= '9') return number();
    if (is_word(code_point.value)) return name();
    if (c == '"' || c == '\'') return string();
    constexpr std::array<std::string_view, 26> symbols = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                          "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                          ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    for (const std::string_view symbol : symbols) {
      if (!looking_at(symbol)) continue;
      bracket(c);
      push(Token::Type::symbol, std::string(symbol), at_);
      at_ += symbol.size();
      return;
    }
    fail(at_, "a character that no expression has");
  }

  void bracket(char c) {
    if (c == '(' || c == '[' || c == '{') brackets_ += c;
    if (c != ')' && c != ']' && c != '}') return;
    const char wanted = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (brackets_.empty() || brackets_.back() != wanted) fail(at_, std::string("a '") + c + "' that closes nothing");
    brackets_.pop_back();
  }

  void name() {
    const std::size_t begin = at_;
    for (CodePoint c = code_point_at(source_, at_); c.size && is_word(c.value); c = code_point_at(source_, at_))
      at_ += c.size;
    push(Token::Type::name, source_.substr(begin, at_ - begin), begin);
  }

  bool digit(std::size_t at) const { return at < source_.size() && source_[at] >= '0' && source_[at] <= '9'; }
  std::size_t digits_end(std::size_t at) const {
    while (digit(at) || (at < source_.size() && source_[at] == '_' && digit(at + 1))) ++at;
    return at;
  }

  void number() {
    const std::size_t begin = at_;
    std::size_t end = digits_end(at_);
    bool whole = true;
    const bool behind_dot = begin > 0 && source_[begin - 1] == '.';
    if (!behind_dot && end < source_.size() && source_[end] == '.' && digit(end + 1)) {
      end = digits_end(end + 1);
      whole = false;
    }
    if (!behind_dot && end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      const std::size_t power =
          end + 1 + (end + 1 < source_.size() && (source_[end + 1] == '+' || source_[end + 1] == '-'));
      if (digit(power)) {
        end = digits_end(power);
        whole = false;
      }
    }
    std::string text = source_.substr(begin, end - begin);
    std::erase(text, '_');
    at_ = end;
    push(whole ? Token::Type::integer : Token::Type::number, std::move(text), begin);
  }

  void string() {
    const std::size_t begin = at_;
    const char quote = source_[at_++];
    std::string text;
    while (at_ < source_.size() && source_[at_] != quote) {
      if (source_[at_] == '\\' && at_ + 1 < source_.size()) {
        ++at_;
        escape(text);
      } else {
        text += source_[at_++];
      }
    }
    if (at_ >= source_.size()) fail(begin, "a string without an end", std::string("a second ") + quote);
    ++at_;
    push(Token::Type::string, std::move(text), begin);
  }

  // Python's escapes; an unknown one stays as it stands.
  void escape(std::string& text) {
    constexpr std::string_view letters = "abfnrtv\\'\"", values = "\a\b\f\n\r\t\v\\'\"";
    const char c = source_[at_];
    if (c == '\n') {
      ++at_;
    } else if (const std::size_t known = letters.find(c); known != letters.npos) {
      text += values[known];
      ++at_;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      ++at_;
      code_point_escape(text, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    } else if (c >= '0' && c <= '7') {
      char32_t value = 0;
      for (int count = 0; count < 3 && at_ < source_.size() && source_[at_] >= '0' && source_[at_] <= '7'; ++count) {
        value = value * 8 + static_cast<char32_t>(source_[at_++] - '0');
      }
      append_utf8(text, value);
    } else if (c == 'N') {
      fail(at_, "a character by its name", "\\u and four hexadecimal digits");
    } else {
      text += '\\';
      text += c;
      ++at_;
    }
  }

  void code_point_escape(std::string& text, int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = at_ < source_.size() ? source_[at_] : '\0';
      const int nibble = c >= '0' && c <= '9'   ? c - '0'
                         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                : -1;
      if (nibble < 0) fail(at_, "a cut escape", std::to_string(digits) + " hexadecimal digits");
      value = value * 16 + static_cast<char32_t>(nibble);
      ++at_;
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) fail(at_, "an escape that is no character");
    append_utf8(text, value);
  }

  std::string source_;
  std::string file_;
  std::vector<Token> tokens_;
  std::string brackets_;
  std::size_t at_ = 0, tag_ = 0;
  bool line_starting_ = true;
  std::size_t counted_ = 0, line_begin_ = 0;  // of position()
  int line_ = 1;
};

}  // namespace

void fail_at(const std::string& file, Position position, const std::string& found, const std::string& expected,
             const std::string& remedy) {
  throw FormatError({.file = file, .line = position.line, .field = "column " + std::to_string(position.column)}, found,
                    expected, remedy);
}

std::vector<Token> tokenize(std::string_view source, const std::string& file) {
  if (!valid_utf8(source)) throw FormatError({.file = file}, "a template that is not UTF-8", "UTF-8");
  return Lexer(normalized(source), file).run();
}

}  // namespace attune::jinja
