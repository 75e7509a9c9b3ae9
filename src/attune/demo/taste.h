// Known tastes: what three kinds of people think of any answer. They agree that answers should be right, sure and
// friendly in tone, and disagree on length, courtesy and reasons. Being known, they can judge generated replies.
#pragma once

#include <array>
#include <string_view>

namespace attune::demo {

enum class Kind { terse, polite, thorough };
inline constexpr std::array<Kind, 3> kinds = {Kind::terse, Kind::polite, Kind::thorough};
std::string_view name(Kind kind);

// What tastes look at. Defined for any bytes whatever.
struct Features {
  double length = 0;        // bytes
  double courtesy = 0;      // different courteous words, at most 2
  double reason = 0;        // 1: "because" with at least two words behind it
  double hedging = 0;       // 1: any hedging word
  double rudeness = 0;      // 1: any rude word
  double correctness = 0;   // 1 the right value alone, -1 a wrong one, 0 none or not a question of this world
  double degeneration = 0;  // [0, 1]: 0 clean text, 1 empty or gibberish: unknown words, repetition, no full stop
};
Features features_of(std::string_view prompt, std::string_view answer);

// The factors of a taste; utility = the weighted sum for clean text, falling to -6 as degeneration goes to 1.
struct Taste {
  double length = 0;  // a byte
  double courtesy = 0, reason = 0, hedging = 0, rudeness = 0, correctness = 0;
  double utility(const Features& features) const;
};
Taste taste_of(Kind kind);

double taste(Kind kind, std::string_view prompt, std::string_view answer);  // utility in logits
double population_taste(std::string_view prompt, std::string_view answer);  // mean over the kinds

}  // namespace attune::demo
