// Sets of code points: built from ranges, asked one code point at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace attune {

struct CodePointRange {
  char32_t first = 0, last = 0;
};
using CodePointRanges = std::vector<CodePointRange>;  // in order, apart from each other

CodePointRanges united(CodePointRanges ranges);  // any ranges, made a set
CodePointRanges inverted(const CodePointRanges& set);
CodePointRanges intersected(const CodePointRanges& a, const CodePointRanges& b);

// \s, \w, and what \p{NAME} means: a general category, a group of them (L, N, P ...), or one of the scripts that
// tokenizers ask for. Nothing for other names. All as Oniguruma has them inside the `tokenizers` package.
CodePointRanges blank_ranges();
CodePointRanges word_ranges();
std::optional<CodePointRanges> property_ranges(std::string_view name);

// The same as a table of two levels: equal blocks of 256 code points are stored once.
class CharacterSet {
 public:
  CharacterSet() = default;
  explicit CharacterSet(const CodePointRanges& set);
  bool has(char32_t c) const {
    const auto& block = blocks_[block_of_[c >> 8]];
    return (block[c >> 6 & 3] >> (c & 63) & 1) != 0;
  }

 private:
  using Block = std::array<std::uint64_t, 4>;
  std::vector<std::uint16_t> block_of_ = std::vector<std::uint16_t>(0x1100);
  std::vector<Block> blocks_ = std::vector<Block>(1);
};

}  // namespace attune
