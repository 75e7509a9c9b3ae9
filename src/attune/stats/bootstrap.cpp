#include "attune/stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/stats/distributions.h"

namespace attune {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// Of sorted values, interpolated.
double quantile(const std::vector<double>& sorted, double share) {
  if (!(share >= 0 && share <= 1)) return none;
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double deviation(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (count - 1));
}

// What BCa moves the percentiles by.
struct Correction {
  double bias = 0, acceleration = 0;
  double place(double share) const {
    const double z = bias + normal_quantile(share);
    return normal_cdf(bias + z / (1 - acceleration * z));
  }
};

Correction correction_of(std::size_t units, const ResampledStatistic& statistic, const std::vector<double>& sorted) {
  std::vector<std::size_t> all(units);
  std::iota(all.begin(), all.end(), std::size_t{0});
  const double whole = statistic(all);
  std::vector<double> without;  // the jackknife
  std::vector<std::size_t> rest(all.begin() + (units > 0 ? 1 : 0), all.end());
  for (std::size_t i = 0; i < units; ++i) {
    without.push_back(statistic(rest));
    if (i < rest.size()) rest[i] = i;
  }
  const double mean = std::accumulate(without.begin(), without.end(), 0.0) / static_cast<double>(units);
  double squares = 0, cubes = 0;
  for (const double value : without) {
    squares += std::pow(mean - value, 2);
    cubes += std::pow(mean - value, 3);
  }
  const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), whole);
  const auto count = static_cast<double>(sorted.size());
  const double below = (static_cast<double>(low - sorted.begin()) + static_cast<double>(high - low) / 2) / count;
  return {.bias = normal_quantile(std::clamp(below, 0.5 / count, 1 - 0.5 / count)),
          .acceleration = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0};
}

}  // namespace

Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options) {
  if (values.empty()) return {none, none};
  const auto mean = [&](std::span<const std::size_t> units) {
    double sum = 0;
    for (const std::size_t unit : units) sum += values[unit];
    return sum / static_cast<double>(units.size());
  };
  return bootstrap(values.size(), mean, options).interval;
}

BootstrapInterval bootstrap(std::size_t units, const ResampledStatistic& statistic, const BootstrapOptions& options,
                            BootstrapKind kind) {
  require(options.resamples > 0 && options.level > 0 && options.level < 1, "a bootstrap needs resamples and a level");
  std::vector<double> values;
  std::vector<std::size_t> drawn(units);
  for (int i = 0; i < options.resamples; ++i) {
    Random random(options.seed, "bootstrap", {i});
    for (std::size_t& unit : drawn) unit = random.below(units);
    values.push_back(statistic(drawn));
  }
  BootstrapInterval result{.interval = {none, none}, .standard_error = none};
  result.undefined = static_cast<int>(std::erase_if(values, [](double value) { return !std::isfinite(value); }));
  if (values.size() < 2) return result;
  std::sort(values.begin(), values.end());
  result.standard_error = deviation(values);
  if (kind == BootstrapKind::percentile) {
    result.interval = percentiles(std::move(values), options.level);
  } else if (values.front() == values.back()) {
    result.interval = {values.front(), values.front()};
  } else {
    const double tail = (1 - options.level) / 2;
    const Correction correction = correction_of(units, statistic, values);
    result.interval = {quantile(values, correction.place(tail)), quantile(values, correction.place(1 - tail))};
  }
  return result;
}

Interval percentiles(std::vector<double> values, double level) {
  if (values.size() < 2) return {none, none};
  std::sort(values.begin(), values.end());
  return {quantile(values, (1 - level) / 2), quantile(values, (1 + level) / 2)};
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
