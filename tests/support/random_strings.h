// The random strings of tests/parity/record_pipelines.py: words, blanks, odd characters, all of Unicode, bytes that are
// no UTF-8.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/text/unicode.h"

namespace attune::testing {

class RandomStrings {
 public:
  explicit RandomStrings(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

  std::string next() {
    std::string out;
    for (std::uint64_t left = below(16); left > 0; --left) {
      const std::uint64_t kind = below(100);
      if (kind < 62) {
        out += pieces_[below(pieces_.size())];
      } else if (kind < 82) {
        for (std::uint64_t count = 1 + below(5); count > 0; --count)
          append_utf8(out, static_cast<char32_t>(0x20 + below(0x2500)));
      } else if (kind < 96) {
        const auto code_point = static_cast<char32_t>(below(0x110000));
        append_utf8(out, code_point >= 0xD800 && code_point < 0xE000 ? 0xFFFD : code_point);
      } else {
        out += static_cast<char>(static_cast<unsigned char>(0x80 + below(0x80)));
      }
    }
    return out;
  }

 private:
  // SplitMix64 (Steele et al. 2014).
  std::uint64_t below(std::uint64_t count) {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return (z ^ (z >> 31)) % count;
  }

  std::vector<std::string> pieces_;
  std::uint64_t state_ = 20261121;
};

}  // namespace attune::testing
