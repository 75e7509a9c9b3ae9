// Minima of smooth functions: what every fit of this folder rests on.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace attune {

// The value of a function at a point; fills the gradient there (as long as the point, zeroed).
using SmoothFunction = std::function<double(std::span<const double> at, std::span<double> gradient)>;

struct MinimiseOptions {
  int most_iterations = 500;
  double tolerance = 1e-8;  // of the gradient's largest entry
};

struct Minimum {
  std::vector<double> at = {};
  double value = 0;
  double steepness = 0;  // the gradient's largest entry there
  int iterations = 0;
  bool converged = false;
};

// L-BFGS (Nocedal 1980) with a backtracking search that goes by the gradient where rounding hides the descent (Hager
// and Zhang 2005). The value never rises beyond rounding. Not converged: the iterations ended, or no step descends
// further.
Minimum minimise(const SmoothFunction& function, std::vector<double> start, const MinimiseOptions& options = {});

inline constexpr double elo_scale = 173.71779276130073;  // 400 / ln 10: points of Elo in one unit of log-odds

double sigmoid_of(double log_odds);      // 1 / (1 + exp(-x))
double softplus_of(double x);            // log(1 + exp(x)) = -log sigmoid(-x), for any x
double log_odds_of(double probability);  // log p / (1 - p)
double log_sum_exp_of(std::span<const double> values);

}  // namespace attune
