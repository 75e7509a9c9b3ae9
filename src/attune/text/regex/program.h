// What a regular expression is compiled to: instructions for a backtracking matcher. Inner to regex/.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "attune/text/regex/character_set.h"

namespace attune {

struct RegexProgram {
  static constexpr std::uint32_t unbounded = std::numeric_limits<std::uint32_t>::max();
  enum class Op : std::uint8_t {
    one,             // a character of `set`
    run,             // min to max characters of `set`, as many as possible, fewer if the rest asks for it
    run_possessive,  // as many as possible and never fewer
    split,           // goes on at `to`, and at `otherwise` if that fails
    loop,            // the same at the head of a loop: never twice at one place
    jump,            // to `to`
    ahead,           // what stands from pc + 1 to its `accept` matches here (or not: `negative`); then `to`
    behind,          // one of `lookbehinds[set]` ends here (or none does)
    atomic,          // pc + 1 to its `accept`, its first way only; then `to`
    line_begin,
    line_end,
    text_begin,
    text_end,
    last_line_end,
    word_border,
    no_word_border,
    accept,
  };
  struct Instruction {
    Op op = Op::accept;
    bool negative = false;
    std::uint32_t set = 0;  // of `one`, `run`; for `loop` its number
    std::uint32_t min = 0, max = 0;
    std::uint32_t to = 0, otherwise = 0;
  };
  std::vector<Instruction> code = {};
  std::vector<CharacterSet> sets = {};
  std::vector<std::vector<std::vector<std::uint32_t>>> lookbehinds = {};  // ways, each a row of sets
  std::uint32_t loops = 0;
};

}  // namespace attune
