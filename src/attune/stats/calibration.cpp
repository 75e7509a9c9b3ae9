#include "attune/stats/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/base/errors.h"
#include "attune/stats/minimise.h"
#include "attune/stats/ranks.h"

namespace attune {
namespace {

// -y log p - (1 - y) log(1 - p), where 0 log 0 = 0.
double cross_entropy(double outcome, double probability) {
  double sum = 0;
  if (outcome > 0) sum -= outcome * std::log(probability);
  if (outcome < 1) sum -= (1 - outcome) * std::log1p(-probability);
  return sum;
}

double mean_over(const auto& values, const auto& term) {
  double sum = 0;
  for (const auto& value : values) sum += term(value);
  return sum / static_cast<double>(values.size());
}

// Slope of the NLL by the factor 1 / T.
double slope_at(std::span<const LogitOutcome> logits, double factor) {
  return mean_over(logits,
                   [&](const LogitOutcome& one) { return (sigmoid_of(factor * one.logit) - one.outcome) * one.logit; });
}

double loss_at(std::span<const LogitOutcome> logits, double factor) {
  return mean_over(logits, [&](const LogitOutcome& one) {
    const double x = factor * one.logit;
    return one.outcome * softplus_of(-x) + (1 - one.outcome) * softplus_of(x);
  });
}

std::vector<ReliabilityBin> wide_bins(std::span<const Forecast> forecasts, int count) {
  std::vector<ReliabilityBin> bins(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    bins[static_cast<std::size_t>(i)].low = static_cast<double>(i) / count;
    bins[static_cast<std::size_t>(i)].high = static_cast<double>(i + 1) / count;
  }
  for (const Forecast& one : forecasts) {
    auto place = static_cast<int>(std::ceil(one.probability * count)) - 1;
    place = std::clamp(place, 0, count - 1);
    ReliabilityBin& bin = bins[static_cast<std::size_t>(place)];
    bin.confidence += one.probability;
    bin.accuracy += one.outcome;
    ++bin.count;
  }
  return bins;
}

std::vector<ReliabilityBin> mass_bins(std::span<const Forecast> forecasts, int count) {
  std::vector<Forecast> sorted(forecasts.begin(), forecasts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Forecast& a, const Forecast& b) { return a.probability < b.probability; });
  std::vector<ReliabilityBin> bins;
  std::size_t next = 0;
  for (int i = 1; i <= count && next < sorted.size(); ++i) {
    std::size_t end = sorted.size() * static_cast<std::size_t>(i) / static_cast<std::size_t>(count);
    while (end > 0 && end < sorted.size() && sorted[end].probability == sorted[end - 1].probability) ++end;
    if (end <= next) continue;
    ReliabilityBin bin{.low = sorted[next].probability, .high = sorted[end - 1].probability};
    for (; next < end; ++next, ++bin.count) {
      bin.confidence += sorted[next].probability;
      bin.accuracy += sorted[next].outcome;
    }
    bins.push_back(bin);
  }
  return bins;
}

}  // namespace

std::vector<ReliabilityBin> reliability_bins(std::span<const Forecast> forecasts, int count, Bins bins) {
  require(count > 0, "at least one bin");
  auto result = bins == Bins::equal_width ? wide_bins(forecasts, count) : mass_bins(forecasts, count);
  std::erase_if(result, [](const ReliabilityBin& bin) { return bin.count == 0; });
  for (ReliabilityBin& bin : result) {
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
  }
  return result;
}

double expected_calibration_error(std::span<const ReliabilityBin> bins) {
  double sum = 0, total = 0;
  for (const ReliabilityBin& bin : bins) {
    sum += static_cast<double>(bin.count) * std::abs(bin.accuracy - bin.confidence);
    total += static_cast<double>(bin.count);
  }
  return sum / total;
}

double maximum_calibration_error(std::span<const ReliabilityBin> bins) {
  double largest = 0;
  for (const ReliabilityBin& bin : bins) largest = std::max(largest, std::abs(bin.accuracy - bin.confidence));
  return largest;
}

double brier_score(std::span<const Forecast> forecasts) {
  return mean_over(forecasts, [](const Forecast& one) { return std::pow(one.probability - one.outcome, 2); });
}

double negative_log_likelihood(std::span<const Forecast> forecasts) {
  return mean_over(forecasts, [](const Forecast& one) { return cross_entropy(one.outcome, one.probability); });
}

double area_under_curve(std::span<const Forecast> forecasts) {
  std::vector<double> probabilities;
  for (const Forecast& one : forecasts) probabilities.push_back(one.probability);
  const std::vector<double> ranks = ranks_of(probabilities);
  double positive = 0, sum = 0;
  for (std::size_t i = 0; i < forecasts.size(); ++i) {
    if (forecasts[i].outcome <= 0.5) continue;
    positive += 1;
    sum += ranks[i];
  }
  const double negative = static_cast<double>(forecasts.size()) - positive;
  if (positive == 0 || negative == 0) return std::numeric_limits<double>::quiet_NaN();
  return (sum - positive * (positive + 1) / 2) / (positive * negative);
}

double forecast_accuracy(std::span<const Forecast> forecasts) {
  return mean_over(forecasts, [](const Forecast& one) {
    if (one.probability == 0.5) return 0.5;
    return one.probability > 0.5 ? one.outcome : 1 - one.outcome;
  });
}

std::vector<Forecast> folded(std::span<const Forecast> forecasts) {
  std::vector<Forecast> result;
  for (const Forecast& one : forecasts) {
    if (one.probability == 0.5) {
      result.push_back({0.5, 0.5});
    } else {
      result.push_back(one.probability > 0.5 ? one : Forecast{1 - one.probability, 1 - one.outcome});
    }
  }
  return result;
}

std::vector<Forecast> both_ways(std::span<const Forecast> forecasts) {
  std::vector<Forecast> result(forecasts.begin(), forecasts.end());
  for (const Forecast& one : forecasts) result.push_back({1 - one.probability, 1 - one.outcome});
  return result;
}

std::vector<Forecast> forecasts_at(std::span<const LogitOutcome> logits, double temperature) {
  std::vector<Forecast> result;
  for (const LogitOutcome& one : logits) result.push_back({sigmoid_of(one.logit / temperature), one.outcome});
  return result;
}

Temperature fit_temperature(std::span<const LogitOutcome> logits) {
  require(!logits.empty(), "a temperature needs outcomes");
  Temperature result{.before = loss_at(logits, 1), .after = loss_at(logits, 1)};
  // The loss is convex in the factor 1 / T: its slope at 0 says whether any factor above 0 helps, and the slope's
  // limit, the mean of |logit| (share against the sign), whether it ever ends.
  const double limit = mean_over(
      logits, [](const LogitOutcome& one) { return one.logit * ((one.logit > 0 ? 1.0 : 0.0) - one.outcome); });
  result.useless = slope_at(logits, 0) >= 0;
  result.separable = !result.useless && limit <= 0;
  if (result.useless || result.separable) return result;
  double low = 0, high = 1;
  while (slope_at(logits, high) < 0) high *= 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (slope_at(logits, middle) < 0 ? low : high) = middle;
  }
  result.value = 1 / high;
  result.after = loss_at(logits, high);
  return result;
}

}  // namespace attune
