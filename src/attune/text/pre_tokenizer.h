// Splitting text into words before byte-pair encoding: the regular expressions of the known tokenizer families.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "attune/text/byte_classes.h"

namespace attune {

enum class WordPattern {
  gpt2,        // ByteLevel's own expression
  llama3,      // numbers in threes, contractions in any case, line ends kept with what stands before them
  qwen2,       // as llama3 with single digits
  everything,  // ByteLevel without expression: the whole piece is one word
};

struct PreTokenizer {
  WordPattern pattern = WordPattern::gpt2;
  bool separate_digits = false;   // Digits(individual_digits): each number character is a piece of its own
  bool add_prefix_space = false;  // ByteLevel: a piece that does not begin with a blank gets one
};

// The pattern whose exact text this is, or nothing. Splitting by other expressions is refused when a file is read.
std::optional<WordPattern> known_pattern(std::string_view regular_expression);
std::string_view pattern_text(WordPattern pattern);  // llama3, qwen2: as it stands in tokenizer.json

// Walks over the words of a text, which must be valid UTF-8. Every byte belongs to exactly one word.
//
// The text is taken in windows of some kilobytes that end where a word surely begins; only a text without any such
// place ("aaaa...") is classified as a whole. Time is linear in the text either way.
class Words {
 public:
  Words(std::string_view text, WordPattern pattern) : rest_(text), pattern_(pattern) {}

  // The next word, empty at the end.
  std::string_view next() {
    if (begin_ == window_.size() && !open_window()) return {};
    while (starts_left_ == 0 && ++block_ < starts_.size()) starts_left_ = starts_[block_];
    std::size_t end = window_.size();
    if (starts_left_ != 0) {
      end = block_ * ByteClasses::size + static_cast<std::size_t>(std::countr_zero(starts_left_));
      starts_left_ &= starts_left_ - 1;
    }
    const std::string_view word = window_.substr(begin_, end - begin_);
    begin_ = end;
    return word;
  }

 private:
  bool open_window();  // false at the end of the text

  std::string_view rest_;  // behind the window
  WordPattern pattern_;
  std::string_view window_;
  std::size_t begin_ = 0;          // of the next word, in the window
  std::size_t block_ = 0;          // of the next start
  std::uint64_t starts_left_ = 0;  // of that block
  std::vector<ByteClasses> classes_;
  std::vector<std::uint64_t> starts_;
};

}  // namespace attune
