// A parsed regular expression. Inner to regex/.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "attune/base/errors.h"
#include "attune/text/regex/character_set.h"
#include "attune/text/regex/program.h"

namespace attune {

struct RegexNode {
  enum class Kind : std::uint8_t { set, sequence, alternatives, repeat, look_ahead, look_behind, atomic, anchor };
  enum class Greed : std::uint8_t { greedy, lazy, possessive };
  Kind kind = Kind::sequence;
  bool negative = false;           // of looks
  Greed greed = Greed::greedy;     // of repeat
  std::uint32_t min = 0, max = 0;  // of repeat
  RegexProgram::Op anchor = RegexProgram::Op::accept;
  CodePointRanges set = {};
  std::vector<RegexNode> parts = {};
};

// Throws FormatError at `where`.
RegexNode parse_regex(std::string_view expression, const Where& where);

}  // namespace attune
