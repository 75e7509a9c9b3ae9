#include "attune/stats/best_of_n.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "attune/base/errors.h"

namespace attune {

double best_of_n_kl(double n) {
  require(n >= 1, "the best of at least one");
  return std::log(n) - (n - 1) / n;
}

double best_of_n_kl_estimate(double n, double probability) {
  require(n >= 1 && probability >= 0 && probability <= 1, "a probability");
  if (probability == 0) return best_of_n_kl(n);
  if (probability == 1) return 0;
  const double log_never = n * std::log1p(-probability), never = std::exp(log_never), ever = -std::expm1(log_never);
  return never * (std::log(n) + (n - 1) * std::log1p(-probability) - (n - 1) / n) + ever * std::log(ever / probability);
}

double best_of_n_value(std::span<const ScoredAnswer> answers, std::int64_t n) {
  const auto size = std::ssize(answers);
  require(n >= 1 && n <= size, "as many answers as are drawn");
  std::vector<ScoredAnswer> sorted(answers.begin(), answers.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const ScoredAnswer& a, const ScoredAnswer& b) { return a.proxy > b.proxy; });
  // From the best down: `share` is the chance that nobody before was drawn and this one is.
  double value = 0, nobody = 1;
  for (std::int64_t begin = 0; begin < size && nobody > 0;) {
    std::int64_t end = begin + 1;
    while (end < size && sorted[static_cast<std::size_t>(end)].proxy == sorted[static_cast<std::size_t>(begin)].proxy)
      ++end;
    double mean = 0, after = nobody;
    for (std::int64_t i = begin; i < end; ++i) {
      mean += sorted[static_cast<std::size_t>(i)].gold / static_cast<double>(end - begin);
      const double others = static_cast<double>(size - i);  // not yet looked at: n of them are drawn
      after *= std::max(0.0, 1 - static_cast<double>(n) / others);
    }
    value += (nobody - after) * mean;
    nobody = after;
    begin = end;
  }
  return value;
}

double pass_at_k(std::int64_t n, std::int64_t right, std::int64_t k) {
  require(right >= 0 && right <= n && k >= 1 && k <= n, "k of n answers");
  if (n - right < k) return 1;
  double none = 1;
  for (std::int64_t i = n - right + 1; i <= n; ++i) none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - none;
}

}  // namespace attune
