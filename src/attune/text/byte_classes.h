// What every byte of a text is to a pre-tokenizer, as bit masks: 64 bytes to a block, bit i for byte i.
//
// ASCII is classified by SIMD comparisons (dispatched at run time); characters beyond it are looked up one by one, and
// all bytes of a character carry its class.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace attune {

struct ByteClasses {
  static constexpr std::size_t size = 64;  // bytes to a block

  // Every byte of the text is in exactly one of the first four; bits behind the text are in none.
  std::uint64_t letters = 0, numbers = 0, blanks = 0, others = 0;
  std::uint64_t line_ends = 0;    // blanks that are \r or \n
  std::uint64_t spaces = 0;       // blanks that are ' '
  std::uint64_t apostrophes = 0;  // others that are '
  std::uint64_t continued = 0;    // bytes behind the first one of a character

  // Leaves the first `count` bytes (1 to 64).
  void cut(std::size_t count) {
    const std::uint64_t inside = ~std::uint64_t{0} >> (size - count);
    for (std::uint64_t* bits : {&letters, &numbers, &blanks, &others, &line_ends, &spaces, &apostrophes, &continued}) {
      *bits &= inside;
    }
  }
};

// Fills ceil(text.size() / 64) blocks. `text` must be valid UTF-8 (ill-formed bytes count as `others`).
void classify_bytes(std::string_view text, std::span<ByteClasses> blocks);

}  // namespace attune
