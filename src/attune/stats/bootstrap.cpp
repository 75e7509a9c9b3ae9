#include "attune/stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/random.h"

namespace attune {
namespace {
constexpr double none = std::numeric_limits<double>::quiet_NaN();
}

Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options) {
  require(options.resamples > 0 && options.level > 0 && options.level < 1, "a bootstrap needs resamples and a level");
  if (values.empty()) return {none, none};
  const auto count = values.size();
  std::vector<double> means;
  for (int i = 0; i < options.resamples; ++i) {
    Random random(options.seed, "bootstrap", {i});
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) sum += values[random.below(count)];
    means.push_back(sum / static_cast<double>(count));
  }
  std::sort(means.begin(), means.end());
  const auto quantile = [&](double share) {
    const double place = share * static_cast<double>(means.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, means.size() - 1);
    return means[below] + (place - static_cast<double>(below)) * (means[above] - means[below]);
  };
  return {quantile((1 - options.level) / 2), quantile((1 + options.level) / 2)};
}

MeanEstimate clustered_mean(std::span<const double> values, std::span<const std::int64_t> cluster) {
  require(values.size() == cluster.size(), "one cluster a value");
  if (values.empty()) return {none, none};
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  std::map<std::int64_t, double> deviations;
  for (std::size_t i = 0; i < values.size(); ++i) deviations[cluster[i]] += values[i] - mean;
  if (deviations.size() < 2) return {mean, none};
  double sum = 0;
  for (const auto& [name, deviation] : deviations) sum += deviation * deviation;
  const auto groups = static_cast<double>(deviations.size());
  return {mean, std::sqrt(groups / (groups - 1) * sum) / count};
}

}  // namespace attune
