// The regular expressions of tokenizer files, with the meaning that Oniguruma gives them inside the `tokenizers`
// package: its Unicode tables, its Ruby syntax (^ and $ are those of lines; x{1,3}+ is a repetition of x{1,3}).
//
// Supported: characters, sets with && and nesting, \p{...} of categories and some scripts, \s \d \w and their
// opposites, groups, alternatives, greedy, lazy and possessive repetition, (?i:...) of ASCII, look-ahead, look-behind
// of fixed length, atomic groups, anchors. All else is refused when it is compiled, never read as something else.
//
// Searching a text costs time linear in the text for every expression: places where a repetition is known to fail are
// not tried again.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "attune/base/errors.h"
#include "attune/text/encoding.h"

namespace attune {

struct RegexProgram;

class Regex {
 public:
  // Throws FormatError at `where`, saying what is not supported and at which byte of the expression.
  static Regex compile(std::string_view expression, const Where& where);

 private:
  std::shared_ptr<const RegexProgram> program_;
  friend class RegexSearch;
};

// Matches of one expression in one text (valid UTF-8), from left to right without overlap, as Oniguruma's find_iter.
// The text must outlive the search.
class RegexSearch {
 public:
  RegexSearch(const Regex& regex, std::string_view text);
  std::optional<ByteSpan> next();

 private:
  static constexpr std::size_t nowhere = ~std::size_t{0};
  struct Choice {              // a way that is still open
    std::uint32_t pc = 0;      // where to go on; of a `run`: that instruction
    bool is_run = false;       // then it may be tried with fewer characters:
    std::size_t position = 0;  //   tried last
    std::size_t low = 0;       //   its shortest
    std::size_t begin = 0, end = 0;
  };
  struct Stretch {  // of a run that failed with all its lengths, from `low` on
    std::size_t begin = 0, low = 0, end = 0;
  };

  std::size_t match(std::uint32_t pc, std::size_t position);  // its end, or nowhere
  bool step(std::uint32_t& pc, std::size_t& position);
  bool step_run(std::uint32_t& pc, std::size_t& position);
  bool step_inner(std::uint32_t& pc, std::size_t& position);
  bool step_loop(std::uint32_t& pc, std::size_t position);
  bool holds(std::uint32_t pc, std::size_t position) const;
  bool behind(std::uint32_t pc, std::size_t position) const;
  bool back_up(std::size_t base, std::uint32_t& pc, std::size_t& position);

  std::shared_ptr<const RegexProgram> program_;
  std::string_view text_;
  std::size_t from_ = 0;
  std::size_t last_end_ = nowhere;
  std::vector<Choice> open_;
  std::vector<Stretch> failed_;       // by instruction
  std::vector<bool> entered_;         // loops, by place
  std::vector<std::size_t> entries_;  // of entered_, since the search of this match began
};

}  // namespace attune
