#include "attune/stats/power.h"

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/stats/distributions.h"

namespace attune {
namespace {

// P(X <= k), X binomial(n, p).
double at_most(std::int64_t k, std::int64_t n, double p) {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return beta_cdf(1 - p, static_cast<double>(n - k), static_cast<double>(k + 1));
}

// The largest count of the smaller side that is still significant; -1: none.
std::int64_t critical_count(std::int64_t n, double alpha) {
  std::int64_t low = -1, high = n / 2;
  if (at_most(high, n, 0.5) <= alpha / 2) return high;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (at_most(middle, n, 0.5) <= alpha / 2 ? low : high) = middle;
  }
  return low;
}

}  // namespace

double sign_test_power(std::int64_t n, double win_rate, double alpha) {
  require(n >= 0 && win_rate >= 0 && win_rate <= 1 && alpha > 0 && alpha < 1, "a sign test's numbers");
  const std::int64_t count = critical_count(n, alpha);
  if (count < 0) return 0;
  if (win_rate == 0 || win_rate == 1) return 1;
  return at_most(count, n, win_rate) + at_most(count, n, 1 - win_rate);
}

double sign_test_size_normal(double win_rate, double power, double alpha) {
  require(win_rate != 0.5 && win_rate > 0 && win_rate < 1 && power > 0 && power < 1, "a win rate other than 1/2");
  const double z = normal_quantile(1 - alpha / 2) / 2 + normal_quantile(power) * std::sqrt(win_rate * (1 - win_rate));
  return std::pow(z / (win_rate - 0.5), 2);
}

std::int64_t sign_test_size(double win_rate, double power, double alpha) {
  constexpr double most = 1e7;
  const double guess = sign_test_size_normal(std::clamp(win_rate, 0.001, 0.999), power, alpha);
  if (guess > most) return 0;
  // From well above the guess down, until the power first falls short: above it, it never does.
  auto n = static_cast<std::int64_t>(guess * 1.1 + 50);
  while (sign_test_power(n, win_rate, alpha) < power) n += n / 10 + 1;
  while (n > 0 && sign_test_power(n, win_rate, alpha) >= power) --n;
  return n + 1;
}

double detectable_win_rate(std::int64_t n, double power, double alpha) {
  double low = 0.5, high = 1;
  if (sign_test_power(n, 1, alpha) < power) return 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (sign_test_power(n, middle, alpha) < power ? low : high) = middle;
  }
  return high;
}

double design_effect(double judgements_an_item, double correlation) {
  return 1 + (judgements_an_item - 1) * correlation;
}

}  // namespace attune
