// Ratings from rankings of several (Plackett 1975, Luce 1959).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/stats/matches.h"

namespace attune {

// Contestants (numbers from 0) in tiers, best first; those of one tier are tied. Who is not named was not there.
using RankedTiers = std::vector<std::vector<std::int32_t>>;

struct PlackettLuce {
  std::vector<double> strengths = {};  // logs; sum to 0 (with a prior: 0 is its opponent's)
  double log_likelihood = 0;
  double steepness = 0;  // the largest entry of the objective's gradient: 0 at the optimum
  bool converged = false;
};

// Each place goes to one of those still there with odds of exp(strength). Members of a tie are each drawn from all that
// the tier before left (Breslow's approximation; exact without ties). The likelihood is concave; without a prior the
// optimum is finite where winning_groups(matches_of(rankings)) is one group. `prior` as in BradleyTerryOptions.
PlackettLuce fit_plackett_luce(std::span<const RankedTiers> rankings, std::int32_t contestants, double prior = 0);

// Every pair of neighbours in rank as a match, tied ones as ties: enough to see who is above whom.
std::vector<Match> matches_of(std::span<const RankedTiers> rankings);

}  // namespace attune
