#include "attune/rewards/ensemble.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "attune/base/errors.h"

namespace attune {
namespace {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}

}  // namespace

double disagreement(std::span<const double> rewards) {
  const double center = mean(rewards);
  double sum = 0;
  for (const double reward : rewards) sum += (reward - center) * (reward - center);
  return std::sqrt(sum / static_cast<double>(rewards.size()));
}

double combine(std::span<const double> rewards, Combine how, double factor) {
  require(!rewards.empty(), "an ensemble of no rewards");
  switch (how) {
    case Combine::mean:
      return mean(rewards);
    case Combine::median:
      return median(rewards);
    case Combine::min:
      return *std::min_element(rewards.begin(), rewards.end());
    case Combine::mean_minus_spread:
      return mean(rewards) - factor * disagreement(rewards);
  }
  return mean(rewards);
}

}  // namespace attune
