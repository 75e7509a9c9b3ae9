// Splitting text into words before byte-pair encoding: the regular expressions of the known tokenizer families, each
// as a hand-written scanner that looks at every character a bounded number of times.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

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

// Walks over the words of a text. Every byte belongs to exactly one word.
class Words {
 public:
  Words(std::string_view text, WordPattern pattern) : text_(text), pattern_(pattern) {}

  // The next word, empty at the end.
  std::string_view next();

 private:
  std::size_t word_end() const;

  std::string_view text_;
  WordPattern pattern_;
  std::size_t at_ = 0;
};

}  // namespace attune
