#include "attune/stats/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "attune/stats/distributions.h"

namespace attune {
namespace {

using Counts = std::map<double, double>;

// Where each value stands on the ordinal scale: the number of values below it and half of its own.
Counts rank_positions(const Counts& totals) {
  Counts positions;
  double below = 0;
  for (const auto& [value, count] : totals) {
    positions[value] = below + count / 2;
    below += count;
  }
  return positions;
}

// The sum of distances over all ordered pairs of values; `ordinal` takes positions for values.
double sum_of_distances(const Counts& counts, Metric metric) {
  double total = 0, sum = 0;
  for (const auto& [value, count] : counts) {
    total += count;
    sum += count * value;
  }
  double distances = 0;
  for (const auto& [value, count] : counts) {
    switch (metric) {
      case Metric::nominal:
        distances += count * (total - count);
        break;
      case Metric::ordinal:
      case Metric::interval:
        distances += 2 * total * count * (value - sum / total) * (value - sum / total);
        break;
      case Metric::ratio:
        for (const auto& [other, often] : counts) {
          if (other != value) distances += count * often * std::pow((value - other) / (value + other), 2);
        }
    }
  }
  return distances;
}

}  // namespace

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
  const double freedom = n - 1, t = student_t_quantile(0.975, freedom);
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
  Counts totals;  // n_c: how often each value stands in a pairable unit
  double pairable = 0;
  for (const auto& unit : units) {
    if (unit.size() < 2) continue;
    for (const double value : unit) totals[value] += 1;
    pairable += static_cast<double>(unit.size());
  }
  if (totals.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const bool ordinal = metric == Metric::ordinal;
  const Counts ranks = ordinal ? rank_positions(totals) : Counts{};
  double observed = 0;
  for (const auto& unit : units) {
    if (unit.size() < 2) continue;
    Counts counts;
    for (const double value : unit) counts[ordinal ? ranks.at(value) : value] += 1;
    observed += sum_of_distances(counts, metric) / static_cast<double>(unit.size() - 1);
  }
  Counts expected;
  for (const auto& [value, count] : totals) expected[ordinal ? ranks.at(value) : value] += count;
  // Do = observed / n, De = expected / (n (n - 1))
  return 1 - observed * (pairable - 1) / sum_of_distances(expected, metric);
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
