// Words as the tokenizer families' regular expressions read them, character by character: what the bit masks of
// text/word_starts.cpp are compared with.
#pragma once

#include <string_view>
#include <vector>

#include "attune/text/pre_tokenizer.h"
#include "attune/text/unicode.h"

namespace attune::testing {

class WordScanner {
 public:
  WordScanner(std::string_view text, WordPattern pattern) : text_(text), pattern_(pattern) {}

  std::vector<std::string_view> words() const {
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < text_.size(); at += words.back().size())
      words.push_back(text_.substr(at, end(at) - at));
    return words;
  }

 private:
  using Class = CharacterClass;
  struct Character {
    char32_t value = 0;
    std::size_t end = 0;
    Class kind = Class::end;
  };

  Character character(std::size_t at) const {
    const CodePoint c = code_point_at(text_, at);
    return {c.value, at + c.size, c.size == 0 ? Class::end : character_class(c.value)};
  }
  std::size_t run_end(std::size_t at, Class kind, std::size_t most = std::size_t(-1)) const {
    for (std::size_t count = 0; count < most; ++count) {
      const Character c = character(at);
      if (c.kind != kind) break;
      at = c.end;
    }
    return at;
  }
  static bool is_line_end(char32_t c) { return c == '\r' || c == '\n'; }
  std::size_t line_ends(std::size_t at) const {
    while (is_line_end(character(at).value)) ++at;
    return at;
  }

  std::size_t contraction_end(std::size_t at, bool any_case) const {
    if (text_[at] != '\'') return 0;
    for (const char* one : {"s", "t", "m", "d", "re", "ve", "ll"}) {
      const std::string_view letters = one;
      const std::string_view here = text_.substr(at + 1, letters.size());
      if (here == letters || (any_case && lower_case(here) == letters)) return at + 1 + letters.size();
    }
    return any_case && text_.substr(at + 1, 2) == "\xC5\xBF" ? at + 3 : 0;
  }

  // \s+(?!\S)|\s+
  std::size_t blanks_end(std::size_t at, std::size_t end) const {
    if (end == text_.size()) return end;
    const std::size_t last = end - code_point_before(text_, end).size;
    return last > at ? last : end;
  }

  std::size_t gpt2_end(std::size_t at) const {
    if (const std::size_t end = contraction_end(at, false)) return end;
    Character first = character(at);
    if (first.value == ' ') {
      const Character next = character(first.end);
      if (next.kind != Class::blank && next.kind != Class::end) first = next;
    }
    if (first.kind != Class::blank) return run_end(first.end, first.kind);
    return blanks_end(at, run_end(first.end, Class::blank));
  }

  // \s*[\r\n]+|\s+(?!\S)|\s+
  std::size_t llama_blanks_end(std::size_t at) const {
    std::size_t end = at, behind_line_end = 0;
    for (Character c = character(at); c.kind == Class::blank; c = character(end)) {
      end = c.end;
      if (is_line_end(c.value)) behind_line_end = end;
    }
    return behind_line_end ? behind_line_end : blanks_end(at, end);
  }

  std::size_t llama_end(std::size_t at, std::size_t digits) const {
    if (const std::size_t end = contraction_end(at, true)) return end;
    const Character first = character(at), second = character(first.end);
    if (first.kind == Class::letter) return run_end(first.end, Class::letter);
    if (first.kind == Class::number) return run_end(at, Class::number, digits);
    if (!is_line_end(first.value) && second.kind == Class::letter) return run_end(second.end, Class::letter);
    if (first.kind == Class::other) return line_ends(run_end(first.end, Class::other));
    if (first.value == ' ' && second.kind == Class::other) return line_ends(run_end(second.end, Class::other));
    return llama_blanks_end(at);
  }

  std::size_t end(std::size_t at) const {
    if (pattern_ == WordPattern::everything) return text_.size();
    return pattern_ == WordPattern::gpt2 ? gpt2_end(at) : llama_end(at, pattern_ == WordPattern::llama3 ? 3 : 1);
  }

  std::string_view text_;
  WordPattern pattern_;
};

}  // namespace attune::testing
