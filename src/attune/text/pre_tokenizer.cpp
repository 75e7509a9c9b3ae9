#include "attune/text/pre_tokenizer.h"

#include "attune/text/unicode.h"

namespace attune {
namespace {

using Class = CharacterClass;

constexpr std::string_view llama3_text =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2_text =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Character {
  char32_t value = 0;
  std::size_t end = 0;  // where the next one begins
  Class kind = Class::end;
};

Character character_at(std::string_view text, std::size_t at) {
  const CodePoint c = code_point_at(text, at);
  return {c.value, at + c.size, c.size == 0 ? Class::end : character_class(c.value)};
}

// Behind the run of characters of this class that begins at `at`.
std::size_t run_end(std::string_view text, std::size_t at, Class kind, std::size_t most = std::size_t(-1)) {
  for (std::size_t count = 0; count < most; ++count) {
    const Character c = character_at(text, at);
    if (c.kind != kind) break;
    at = c.end;
  }
  return at;
}

bool is_line_end(char32_t c) { return c == '\r' || c == '\n'; }

std::size_t line_ends(std::string_view text, std::size_t at) {
  while (at < text.size() && is_line_end(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

// 's 't 're 've 'm 'll 'd behind the apostrophe at `at`; 0 if none. In any case, the long s (U+017F) is an s.
std::size_t contraction_end(std::string_view text, std::size_t at, bool any_case) {
  if (text[at] != '\'' || at + 1 >= text.size()) return 0;
  const auto letter = [&](std::size_t offset) {
    const char c = at + offset < text.size() ? text[at + offset] : '\0';
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const char first = letter(1), second = letter(2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l'))
    return at + 3;
  if (any_case && text.substr(at + 1, 2) == "\xC5\xBF") return at + 3;
  return 0;
}

// `\s+(?!\S)|\s+`: a run of blanks leaves its last one to the word behind it, unless it is alone or ends the text.
std::size_t blanks_end(std::string_view text, std::size_t at, std::size_t end) {
  if (end == text.size()) return end;
  const std::size_t last = end - code_point_before(text, end).size;
  return last > at ? last : end;
}

std::size_t gpt2_end(std::string_view text, std::size_t at) {
  if (const std::size_t end = contraction_end(text, at, false)) return end;
  Character first = character_at(text, at);
  if (first.value == ' ') {
    const Character next = character_at(text, first.end);
    if (next.kind != Class::blank && next.kind != Class::end) first = next;
  }
  if (first.kind != Class::blank) return run_end(text, first.end, first.kind);
  return blanks_end(text, at, run_end(text, first.end, Class::blank));
}

// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line end of the run if there is one.
std::size_t llama_blanks_end(std::string_view text, std::size_t at) {
  std::size_t end = at, behind_line_end = 0;
  for (Character c = character_at(text, at); c.kind == Class::blank; c = character_at(text, end)) {
    end = c.end;
    if (is_line_end(c.value)) behind_line_end = end;
  }
  return behind_line_end ? behind_line_end : blanks_end(text, at, end);
}

std::size_t llama_end(std::string_view text, std::size_t at, std::size_t digits) {
  if (const std::size_t end = contraction_end(text, at, true)) return end;
  const Character first = character_at(text, at);
  if (first.kind == Class::letter) return run_end(text, first.end, Class::letter);
  if (first.kind == Class::number) return run_end(text, at, Class::number, digits);
  const Character second = character_at(text, first.end);
  if (!is_line_end(first.value) && second.kind == Class::letter) return run_end(text, second.end, Class::letter);
  if (first.kind == Class::other) return line_ends(text, run_end(text, first.end, Class::other));
  if (first.value == ' ' && second.kind == Class::other)
    return line_ends(text, run_end(text, second.end, Class::other));
  return llama_blanks_end(text, at);
}

}  // namespace

std::optional<WordPattern> known_pattern(std::string_view regular_expression) {
  if (regular_expression == llama3_text) return WordPattern::llama3;
  if (regular_expression == qwen2_text) return WordPattern::qwen2;
  return std::nullopt;
}

std::string_view pattern_text(WordPattern pattern) {
  return pattern == WordPattern::llama3 ? llama3_text : pattern == WordPattern::qwen2 ? qwen2_text : std::string_view();
}

std::size_t Words::word_end() const {
  switch (pattern_) {
    case WordPattern::gpt2:
      return gpt2_end(text_, at_);
    case WordPattern::llama3:
      return llama_end(text_, at_, 3);
    case WordPattern::qwen2:
      return llama_end(text_, at_, 1);
    case WordPattern::everything:
      break;
  }
  return text_.size();
}

std::string_view Words::next() {
  if (at_ == text_.size()) return {};
  const std::size_t begin = at_;
  at_ = word_end();
  return text_.substr(begin, at_ - begin);
}

}  // namespace attune
