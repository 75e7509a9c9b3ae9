#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "attune/base/json.h"
#include "attune/text/regex/syntax.h"
#include "attune/text/unicode.h"

namespace attune {
namespace {

using Kind = RegexNode::Kind;
using Op = RegexProgram::Op;
constexpr int deepest = 40;  // groups in groups
constexpr std::uint32_t most_repetitions = 1000;

bool ascii_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool ascii_alphanumeric(char32_t c) { return ascii_letter(c) || (c >= '0' && c <= '9'); }

class Parser {
 public:
  Parser(std::string_view text, const Where& where) : text_(text), where_(where) {}

  RegexNode parse() {
    if (!valid_utf8(text_)) fail("bytes that are no UTF-8");
    RegexNode whole = alternatives(0);
    if (at_ < text_.size()) fail("')' without '('");
    return whole;
  }

 private:
  [[noreturn]] void fail(const std::string& found) const {
    throw FormatError(where_, "a regular expression with " + found + " at byte " + std::to_string(at_),
                      "the constructs that tokenizers use", "use a tokenizer of a supported kind");
  }
  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  char32_t character() {
    const CodePoint c = code_point_at(text_, at_);
    if (c.size == 0) fail("its end too early");
    at_ += c.size;
    return c.value;
  }

  RegexNode alternatives(int depth) {
    if (depth > deepest) fail("groups nested too deep");
    RegexNode result = {.kind = Kind::alternatives};
    do result.parts.push_back(sequence(depth));
    while (take("|"));
    if (result.parts.size() == 1) return std::move(result.parts.front());
    return result;
  }

  RegexNode sequence(int depth) {
    RegexNode result = {.kind = Kind::sequence};
    while (!done() && peek() != '|' && peek() != ')') {
      if (take("(?i)")) {  // for all that follows in this group, alternatives too
        const bool outer = std::exchange(ignore_case_, true);
        result.parts.push_back(alternatives(depth + 1));
        ignore_case_ = outer;
        break;
      }
      result.parts.push_back(quantified(depth));
      if (ignore_case_ && result.parts.size() > 1) check_ligature(result.parts.end()[-2], result.parts.back());
    }
    return result;
  }

  // Without regard to case, ss is also U+00DF, and ff, fi, fl and st are ligatures too: one character for two.
  void check_ligature(const RegexNode& left, const RegexNode& right) const {
    const auto has = [](const RegexNode& node, char letter) {
      return std::ranges::any_of(node.set, [&](const auto& range) {
        return range.first <= static_cast<char32_t>(letter) && static_cast<char32_t>(letter) <= range.last;
      });
    };
    for (const std::string_view pair : {"ss", "ff", "fi", "fl", "st"}) {
      if (has(left, pair[0]) && has(right, pair[1])) fail("letters that are also one character when case is ignored");
    }
  }

  RegexNode quantified(int depth) {
    RegexNode node = atom(depth);
    for (;;) {
      std::uint32_t min = 0, max = RegexProgram::unbounded;
      bool interval = false;
      if (take("*")) {
      } else if (take("+")) {
        min = 1;
      } else if (take("?")) {
        max = 1;
      } else if (peek() == '{' && counts(min, max)) {
        interval = true;
      } else {
        return node;
      }
      if (node.kind == Kind::anchor || node.kind == Kind::look_ahead || node.kind == Kind::look_behind)
        fail("a repeated anchor");
      RegexNode repeat = {.kind = Kind::repeat, .min = min, .max = max};
      if (interval && peek() == '?') fail("a lazy interval");
      if (!interval && take("?")) {
        repeat.greed = RegexNode::Greed::lazy;
      } else if (!interval && take("+")) {
        repeat.greed = RegexNode::Greed::possessive;
      }
      repeat.parts.push_back(std::move(node));
      node = std::move(repeat);
    }
  }

  // {n}, {n,}, {,m}, {n,m}. Anything else that begins so is text.
  bool counts(std::uint32_t& min, std::uint32_t& max) {
    const std::size_t end = text_.find('}', at_);
    if (end == text_.npos) return false;
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    const std::size_t comma = inside.find(',');
    const auto number = [](std::string_view digits) -> std::optional<std::uint32_t> {
      std::uint32_t value = 0;
      const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
      return value;
    };
    const auto low = number(inside.substr(0, comma));
    const auto high = comma == inside.npos ? low : number(inside.substr(comma + 1));
    const bool open_low = comma == 0, open_high = comma != inside.npos && comma + 1 == inside.size();
    if ((!low && !open_low) || (!high && !open_high) || (open_low && open_high)) return false;
    min = low.value_or(0);
    max = high.value_or(RegexProgram::unbounded);
    if (min > most_repetitions || (high && (*high > most_repetitions || *high < min)))
      fail("a repetition out of range");
    at_ = end + 1;
    return true;
  }

  RegexNode atom(int depth) {
    if (take("(")) return group(depth);
    if (peek() == '[') return set_node(bracket(depth));
    if (take(".")) return set_node(inverted({{'\n', '\n'}}));
    if (take("^")) return {.kind = Kind::anchor, .anchor = Op::line_begin};
    if (take("$")) return {.kind = Kind::anchor, .anchor = Op::line_end};
    if (peek() == '*' || peek() == '+' || peek() == '?') fail("nothing to repeat");
    if (peek() == '\\') return escaped();
    const char32_t c = character();
    return set_node({{c, c}});
  }

  RegexNode group(int depth) {
    RegexNode result;
    const bool outer = ignore_case_;
    const auto looking = [&](Kind kind, bool negative) {
      RegexNode look = {.kind = kind, .negative = negative};
      look.parts.push_back(alternatives(depth + 1));
      return look;
    };
    if (take("?=")) {
      result = looking(Kind::look_ahead, false);
    } else if (take("?!")) {
      result = looking(Kind::look_ahead, true);
    } else if (take("?<=")) {
      result = looking(Kind::look_behind, false);
    } else if (take("?<!")) {
      result = looking(Kind::look_behind, true);
    } else if (take("?>")) {
      result = looking(Kind::atomic, false);
    } else {
      if (take("?i:")) {
        ignore_case_ = true;
      } else if (peek() == '?' && !take("?:")) {
        fail("an unknown kind of group");
      }
      result = alternatives(depth + 1);
    }
    if (!take(")")) fail("'(' without ')'");
    ignore_case_ = outer;
    return result;
  }

  RegexNode escaped() {
    const std::string_view two = text_.substr(at_, 2);
    const auto anchor = [&](Op op) -> RegexNode {
      at_ += 2;
      return {.kind = Kind::anchor, .anchor = op};
    };
    if (two == "\\A") return anchor(Op::text_begin);
    if (two == "\\z") return anchor(Op::text_end);
    if (two == "\\Z") return anchor(Op::last_line_end);
    if (two == "\\b") return anchor(Op::word_border);
    if (two == "\\B") return anchor(Op::no_word_border);
    return set_node(escape());
  }

  // A set that `\` begins, of one character mostly.
  CodePointRanges escape() {
    ++at_;
    const char32_t c = character();
    const auto one = [](char32_t value) { return CodePointRanges{{value, value}}; };
    switch (c) {
      case 's':
        return blank_ranges();
      case 'S':
        return inverted(blank_ranges());
      case 'd':
        return *property_ranges("Nd");
      case 'D':
        return inverted(*property_ranges("Nd"));
      case 'w':
        return words();
      case 'W':
        return inverted(words());
      case 'p':
        return property(false);
      case 'P':
        return property(true);
      case 'n':
        return one('\n');
      case 'r':
        return one('\r');
      case 't':
        return one('\t');
      case 'f':
        return one('\f');
      case 'v':
        return one('\v');
      case 'a':
        return one('\a');
      case 'e':
        return one(0x1B);
      case 'x':
        return one(peek() == '{' ? braced_hexadecimal() : hexadecimal(2));
      case 'u':
        return one(hexadecimal(4));
      default:
        if (ascii_alphanumeric(c)) fail("an unknown escape");
        return one(c);
    }
  }

  // Oniguruma counts six signs of Latin-1 (superscript digits, fractions) as words, but not inside brackets.
  CodePointRanges words() const {
    if (brackets_ == 0) return word_ranges();
    return intersected(word_ranges(), inverted({{0xB2, 0xB3}, {0xB9, 0xB9}, {0xBC, 0xBE}}));
  }

  char32_t hexadecimal(std::size_t digits) {
    std::uint32_t value = 0;
    const std::string_view number = text_.substr(at_, digits);
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value, 16);
    if (number.empty() || parsed.ec != std::errc() || parsed.ptr != number.data() + number.size() || value > 0x10FFFF)
      fail("an escape without its digits");
    at_ += digits;
    return value;
  }
  char32_t braced_hexadecimal() {
    const std::size_t end = text_.find('}', at_);
    if (end == text_.npos || end - at_ > 9) fail("an escape without its digits");
    ++at_;
    const char32_t value = hexadecimal(end - at_);
    ++at_;
    return value;
  }

  CodePointRanges property(bool negative) {
    const std::size_t end = text_.find('}', at_);
    if (peek() != '{' || end == text_.npos) fail("a property without its name");
    std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    if (name.starts_with('^')) {
      negative = !negative;
      name.remove_prefix(1);
    }
    const std::optional<CodePointRanges> ranges = property_ranges(name);
    if (!ranges) fail("an unknown property");
    at_ = end + 1;
    return negative ? inverted(*ranges) : *ranges;
  }

  // [...]: items, ranges, sets inside; && takes what both sides have.
  CodePointRanges bracket(int depth) {
    if (depth > deepest) fail("sets nested too deep");
    ++at_;
    ++brackets_;
    const bool negative = take("^");
    CodePointRanges items, before;
    bool intersecting = false, first = true;
    const auto close = [&] {
      CodePointRanges side = united(std::exchange(items, {}));
      before = intersecting ? intersected(before, side) : std::move(side);
    };
    for (; first || peek() != ']'; first = false) {
      if (done()) fail("'[' without ']'");
      if (text_.substr(at_).starts_with("[:")) fail("a POSIX bracket");
      if (peek() == '[') {
        const CodePointRanges inner = bracket(depth + 1);
        items.insert(items.end(), inner.begin(), inner.end());
      } else if (take("&&")) {
        close();
        intersecting = true;
      } else {
        const CodePointRanges item = bracket_item();
        items.insert(items.end(), item.begin(), item.end());
      }
    }
    ++at_;
    --brackets_;
    close();
    if (negative && ignore_case_ && any_letter(before)) fail("a negated set that ignores case");
    return negative ? inverted(before) : before;
  }

  CodePointRanges bracket_item() {
    const CodePointRanges item = single();
    const bool one = item.size() == 1 && item.front().first == item.front().last;
    if (!one || peek() != '-' || text_.substr(at_).starts_with("-]") || at_ + 1 >= text_.size()) return item;
    ++at_;
    if (peek() == '[') fail("a range to a set");
    const CodePointRanges last = single();
    if (last.size() != 1 || last.front().first != last.front().last || last.front().first < item.front().first)
      fail("a range that goes down");
    return {{item.front().first, last.front().first}};
  }

  CodePointRanges single() {
    if (peek() == '\\') {
      if (text_.substr(at_).starts_with("\\b")) {
        at_ += 2;
        return {{'\b', '\b'}};
      }
      return escape();
    }
    const char32_t c = character();
    return {{c, c}};
  }

  static bool any_letter(const CodePointRanges& set) {
    return std::any_of(set.begin(), set.end(), [](const CodePointRange& range) {
      for (char32_t c = range.first; c <= std::min<char32_t>(range.last, 'z'); ++c) {
        if (ascii_letter(c)) return true;
      }
      return range.last > 0x7F;
    });
  }

  RegexNode set_node(CodePointRanges set) const {
    RegexNode node = {.kind = Kind::set};
    if (ignore_case_) {
      if (!set.empty() && set.back().last > 0x7F) fail("characters beyond ASCII that ignore case");
      CodePointRanges more;
      for (const CodePointRange& range : set) {
        for (char32_t c = range.first; c <= range.last; ++c) {
          if (ascii_letter(c)) more.push_back({c ^ 0x20, c ^ 0x20});
          if (c == 's' || c == 'S') more.push_back({0x17F, 0x17F});
          if (c == 'k' || c == 'K') more.push_back({0x212A, 0x212A});
        }
      }
      set.insert(set.end(), more.begin(), more.end());
      set = united(std::move(set));
    }
    node.set = std::move(set);
    return node;
  }

  std::string_view text_;
  const Where& where_;
  std::size_t at_ = 0;
  bool ignore_case_ = false;
  int brackets_ = 0;  // open ones
};

}  // namespace

RegexNode parse_regex(std::string_view expression, const Where& where) { return Parser(expression, where).parse(); }

}  // namespace attune
