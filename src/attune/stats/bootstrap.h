// Intervals by resampling (Efron 1979, "Bootstrap methods: another look at the jackknife").
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "attune/stats/agreement.h"

namespace attune {

struct BootstrapOptions {
  int resamples = 2'000;
  double level = 0.95;
  std::uint64_t seed = 0;  // equal seeds give equal intervals
};

// Percentile interval of the mean. Resampled with replacement, all values with equal chance; [NaN, NaN] without values.
Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options = {});

// A statistic of units drawn with replacement: indices of the original ones, repeated where drawn more than once.
using ResampledStatistic = std::function<double(std::span<const std::size_t> units)>;

enum class BootstrapKind {
  percentile,
  bca,  // bias-corrected and accelerated (Efron 1987); asks for the statistic without each unit too
};

struct BootstrapInterval {
  Interval interval = {};
  double standard_error = 0;
  int undefined = 0;  // resamples where the statistic was not finite; they are left out
};

// The interval of a statistic over `units` exchangeable ones. [NaN, NaN] where fewer than two resamples are defined, or
// the acceleration is not. With `bca` and all resamples alike, that value.
BootstrapInterval bootstrap(std::size_t units, const ResampledStatistic& statistic,
                            const BootstrapOptions& options = {}, BootstrapKind kind = BootstrapKind::percentile);

// The middle `level` of values, interpolated between them; [NaN, NaN] for fewer than two.
Interval percentiles(std::vector<double> values, double level);

struct MeanEstimate {
  double mean = 0, standard_error = 0;  // NaN where there are too few values
};

// The mean over all values and its standard error where values of one cluster depend on each other (samples of one
// prompt): sqrt(G / (G - 1) sum_g (sum of deviations in g)^2) / n over G clusters. `cluster` names each value's.
// With one value a cluster this is the usual s / sqrt(n).
MeanEstimate clustered_mean(std::span<const double> values, std::span<const std::int64_t> cluster);

}  // namespace attune
