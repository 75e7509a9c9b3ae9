// Agreement beyond chance: Cohen, Fleiss, Gwet.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/stats/agreement.h"

namespace attune {

// How bad two different values are: all alike, by distance, by squared distance.
enum class KappaWeights { none, linear, quadratic };

// Cohen's kappa of two raters of the same items (Cohen 1960, 1968): 1 - sum w O / sum w E, where w is 0 for equal
// values, else 1, |a - b| or (a - b)^2, and E has the raters' own margins. Values count as numbers: of labels without
// order take any codes and no weights. NaN without items or where nothing can disagree.
double cohen_kappa(std::span<const double> first, std::span<const double> second, KappaWeights weights);

// Kappa of every two raters that share at least `least_items` units. A rater's last vote on a unit counts.
struct RaterPair {
  std::int32_t first = 0, second = 0;
  std::int64_t items = 0;
  double kappa = 0;  // may be NaN
};
std::vector<RaterPair> cohen_kappas(std::span<const Vote> votes, KappaWeights weights, std::int64_t least_items = 1);

// Fleiss' kappa (Fleiss 1971) of units that were all rated equally often, at least twice, whoever the raters were: a
// list of values each. NaN where nothing can disagree. Throws InternalError where the numbers differ.
double fleiss_kappa(std::span<const std::vector<double>> units);

// Gwet's AC1 (no weights; Gwet 2008) and AC2 (weights; Gwet 2014, chapters 2.6 and 5), missing ratings allowed: (pa -
// pe) / (1 - pe) with pe = sum w / (q (q - 1)) sum pi_k (1 - pi_k). `categories`: all q values of the scale, used or
// not, at least two. Throws InternalError for a value that is none of them. NaN without a unit that has two values.
double gwet_ac(std::span<const std::vector<double>> units, std::span<const double> categories, KappaWeights weights);

}  // namespace attune
