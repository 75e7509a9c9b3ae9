#include "attune/stats/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace attune {

Interval wilson_interval(double successes, double trials, double z) {
  if (!(trials > 0)) return {0, 1};
  const double share = successes / trials, squared = z * z;
  const double scale = 1 + squared / trials;
  const double centre = (share + squared / (2 * trials)) / scale;
  const double half = z / scale * std::sqrt(share * (1 - share) / trials + squared / (4 * trials * trials));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Mean mean_of(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  Mean mean{.value = 0, .interval = {-INFINITY, INFINITY}, .count = n};
  for (const double value : values) mean.value += value / n;
  if (values.size() < 2) return mean;
  double squares = 0;
  for (const double value : values) squares += (value - mean.value) * (value - mean.value);
  const double z = 1.959963984540054, freedom = n - 1;
  const double cubic = (z * z * z + z) / 4, fifth = (5 * std::pow(z, 5) + 16 * z * z * z + 3 * z) / 96;
  const double t = z + cubic / freedom + fifth / (freedom * freedom);
  const double half = t * std::sqrt(squares / freedom / n);
  mean.interval = {mean.value - half, mean.value + half};
  return mean;
}

Share pairwise_agreement(std::span<const Vote> votes) {
  std::map<std::int32_t, std::vector<const Vote*>> units;
  for (const Vote& vote : votes) units[vote.unit].push_back(&vote);
  Share share;
  for (const auto& [unit, cast] : units) {
    for (std::size_t i = 0; i < cast.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (cast[i]->rater != cast[j]->rater) share.add(cast[i]->value == cast[j]->value);
      }
    }
  }
  return share;
}

double krippendorff_alpha(std::span<const std::vector<double>> units, Metric metric) {
  const auto distance = [metric](double a, double b) {
    return metric == Metric::nominal ? (a == b ? 0.0 : 1.0) : (a - b) * (a - b);
  };
  std::map<double, double> totals;  // n_c: how often each value stands in a pairable unit
  double observed = 0, pairable = 0;
  for (const auto& unit : units) {
    if (unit.size() < 2) continue;
    std::map<double, double> counts;
    for (const double value : unit) counts[value] += 1;
    double inside = 0;
    for (const auto& [a, count_a] : counts) {
      for (const auto& [b, count_b] : counts) inside += count_a * count_b * distance(a, b);
      totals[a] += count_a;
    }
    observed += inside / static_cast<double>(unit.size() - 1);
    pairable += static_cast<double>(unit.size());
  }
  double expected = 0;
  for (const auto& [a, count_a] : totals) {
    for (const auto& [b, count_b] : totals) expected += count_a * count_b * distance(a, b);
  }
  if (expected == 0) return std::numeric_limits<double>::quiet_NaN();
  return 1 - observed * (pairable - 1) / expected;  // Do = observed / n, De = expected / (n (n - 1))
}

double entropy_bits(std::span<const double> counts) {
  double total = 0, sum = 0;
  for (const double count : counts) total += count;
  for (const double count : counts) {
    if (count > 0) sum -= count / total * std::log2(count / total);
  }
  return std::max(sum, 0.0);
}

}  // namespace attune
