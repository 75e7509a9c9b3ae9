// Instructions whose fulfilment a program can check: the constraint library of MAPL (Sun et al. 2025, arXiv:2505.12845,
// its functions g(y, True | False)), after the verifiable instructions of IFEval (Zhou et al. 2023, arXiv:2311.07911).
// For any answer a constraint can be drawn that it obeys, or one that it breaks.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/random.h"

namespace attune::curate {

enum class ConstraintKind {
  words,          // at least `number` words (negated: fewer)
  sentences,      // at least `number` sentences (negated: fewer)
  paragraphs,     // at least `number` paragraphs, divided by blank lines (negated: fewer)
  includes_word,  // `word` is one of its words, in any case of letters (negated: is none of them)
  begins_with,    // its first word is `word` (negated: another one)
  ends_with,      // its last word is `word` (negated: another one)
  lower_case,     // no ASCII capital (negated: at least one)
  digits,         // at least one digit (negated: none)
  commas,         // at least one comma (negated: none)
  bullets,        // at least one line that begins with "- " or "* " (negated: none)
  question,       // ends with a question mark, blanks aside (negated: does not)
};
inline constexpr std::array all_constraint_kinds = {
    ConstraintKind::words,       ConstraintKind::sentences, ConstraintKind::paragraphs, ConstraintKind::includes_word,
    ConstraintKind::begins_with, ConstraintKind::ends_with, ConstraintKind::lower_case, ConstraintKind::digits,
    ConstraintKind::commas,      ConstraintKind::bullets,   ConstraintKind::question};
std::string_view name(ConstraintKind kind);  // "words", "includes-word", ...

struct Constraint {
  ConstraintKind kind = ConstraintKind::words;
  bool negated = false;
  std::int64_t number = 0;
  std::string word = {};  // in lower case
  bool operator==(const Constraint&) const = default;
};

bool obeys(std::string_view answer, const Constraint& constraint);

// The constraint as a sentence to the writer of the answer.
std::string instruction(const Constraint& constraint);

// A constraint of this kind that the answer obeys (truth) or breaks. Always one: where numbers and words leave a choice
// it is drawn, where the answer leaves none the negated form is taken.
Constraint draw_constraint(ConstraintKind kind, bool truth, std::string_view answer, Random& random);

// Two lists of instructions on the same kinds: the answer obeys all of the first; of the second it breaks `broken`.
struct ConstraintLists {
  std::vector<Constraint> obeyed = {}, broken = {};
};
ConstraintLists draw_constraints(std::size_t count, std::size_t broken, std::string_view answer, Random& random);

}  // namespace attune::curate
