// Ratings from comparisons of two: Bradley and Terry (1952), ties, and what else than strength decided.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/stats/matches.h"

namespace attune {

// How ties count: as half a win for each side; as an outcome of its own whose odds are nu sqrt(p_a p_b) (Davidson
// 1970); as what happens when the strengths differ by less than a threshold (Rao and Kupper 1967).
enum class TieModel { half, davidson, rao_kupper };

struct BradleyTerryOptions {
  TieModel ties = TieModel::half;
  // Half-won matches of each contestant against one of strength 0: keeps ratings finite where somebody always won, and
  // comparable where comparisons fall apart. 0: maximum likelihood.
  double prior = 0;
  std::size_t features = 0;        // how many features a match has
  double feature_l2 = 0;           // penalty l2 / 2 |w|^2 on theirs
  std::vector<double> start = {};  // strengths, feature weights and tie parameter to start from; empty: 0
};

struct BradleyTerry {
  std::vector<double> strengths = {};        // log-odds; sum to 0 (with a prior: 0 is its opponent's)
  std::vector<double> feature_weights = {};  // what one unit of a feature adds to a's log-odds
  double tie = 0;                            // Davidson's nu or Rao and Kupper's threshold in log-odds; 0 without ties
  double log_likelihood = 0;                 // of the matches, without prior and penalties
  double steepness = 0;                      // the largest entry of the objective's gradient: 0 at the optimum
  bool converged = false;
  std::vector<double> parameters = {};  // for `start` of a fit to similar matches
};

// d = strength a - strength b + weights . features; a wins with probability sigmoid(d) (half). `features`: match by
// match, `options.features` numbers each. Without a prior the fit exists where winning_groups() is one group (ask
// first; otherwise it does not converge). Scores must be 0, 0.5 or 1 but for `half`, which takes any share.
// InternalError for sizes that do not match.
BradleyTerry fit_bradley_terry(std::span<const Match> matches, std::int32_t contestants,
                               const BradleyTerryOptions& options = {}, std::span<const double> features = {});

// Points on the Elo scale: base + 400 log10 odds.
double elo_points(double strength, double base = 1000);

struct MatchChances {
  double win = 0, tie = 0, loss = 0;  // of a
};
// What `d` (see above) says of one match. Under `half` a tie is half a win, so none is foreseen.
MatchChances chances_of(double d, TieModel ties, double tie);

}  // namespace attune
