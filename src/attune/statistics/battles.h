// Comparisons of contestants, from a table or from preference data: what all ratings are fitted to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/config/fields.h"
#include "attune/statistics/evidence.h"
#include "attune/stats/matches.h"

namespace attune {

enum class Contestants { speaker, answer };
constexpr auto enum_names(Contestants) {
  using Name = std::pair<std::string_view, Contestants>;
  return std::array{Name{"speaker", Contestants::speaker}, Name{"answer", Contestants::answer}};
}

struct BattlesOptions {
  std::string a = "a", b = "b", winner = "winner", annotator = "annotator";
  std::vector<std::string> style = {};
  Contestants by = Contestants::speaker;
  void describe(Fields& fields);
};

struct Battles {
  std::vector<Match> matches = {};
  std::vector<std::int32_t> raters = {};  // of each match, into annotators; -1: nobody named
  std::vector<std::string> contestants = {}, annotators = {};
  // Match by match, options.style.size() numbers each: (a - b) / (a + b), 0 of 0, then as far from the mean in standard
  // deviations (FastChat's style control).
  std::vector<double> style = {};
  std::vector<double> style_mean = {}, style_deviation = {};  // before standardising
  std::int64_t undecided = 0;                                 // without a winner (null, unsure, incomparable), left out
};

// A table with the columns a, b and winner (or model_a, model_b and winner) where the rows have them, else the
// comparisons of preference data between what spoke, or between its answers. The winner is the name of a or b, or one
// of "a", "model_a", "1", ..., or a tie ("tie", "tie (bothbad)", "both_bad", "equal", ...). A style s is the columns
// s_a and s_b. Throws DataError for a winner that is neither, a contestant against itself, and where there is no
// comparison.
Battles read_battles(const Evidence& evidence, const BattlesOptions& options);

// Throws DataError, naming the groups, where nothing connects some contestants with the others, or (`finite`) where
// some never took a point from others, so that their ratings lie infinitely far apart.
void require_comparable(const Evidence& evidence, const Battles& battles, bool finite);
void require_comparable(const Evidence& evidence, std::span<const Match> matches,
                        const std::vector<std::string>& contestants, bool finite);

}  // namespace attune
