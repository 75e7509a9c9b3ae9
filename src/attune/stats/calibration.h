// Whether probabilities mean what they say.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attune {

// A probability and what happened: 1, 0, or a share in between.
struct Forecast {
  double probability = 0, outcome = 0;
};

struct ReliabilityBin {
  double low = 0, high = 0;             // of the probabilities: (low, high], the first one [low, high]
  double confidence = 0, accuracy = 0;  // mean probability and mean outcome inside
  std::int64_t count = 0;
};

enum class Bins {
  equal_width,  // of [0, 1]
  equal_mass,   // as many forecasts each, in their order; equal probabilities stay together
};

// Bins without forecasts are left out. `count` at least 1.
std::vector<ReliabilityBin> reliability_bins(std::span<const Forecast> forecasts, int count,
                                             Bins bins = Bins::equal_width);

// Expected and maximum calibration error (Naeini et al. 2015; Guo et al. 2017): the mean over forecasts, and the
// largest, of |accuracy - confidence| of their bin.
double expected_calibration_error(std::span<const ReliabilityBin> bins);
double maximum_calibration_error(std::span<const ReliabilityBin> bins);

double brier_score(std::span<const Forecast> forecasts);  // mean (p - y)^2
double negative_log_likelihood(
    std::span<const Forecast> forecasts);  // mean -y log p - (1 - y) log(1 - p); may be infinite

// P(a positive one is given more than a negative one), ties half; NaN where one kind is missing. Outcomes above 1/2
// are positive.
double area_under_curve(std::span<const Forecast> forecasts);

// The share on the right side of 1/2; a probability of exactly 1/2 is right half of the time.
double forecast_accuracy(std::span<const Forecast> forecasts);

// Each as the probability of what it holds likelier, at least 1/2, and whether that happened: pairs have no right way
// round.
std::vector<Forecast> folded(std::span<const Forecast> forecasts);
// Each also the other way round, (1 - p, 1 - y).
std::vector<Forecast> both_ways(std::span<const Forecast> forecasts);

struct LogitOutcome {
  double logit = 0, outcome = 0;
};
std::vector<Forecast> forecasts_at(std::span<const LogitOutcome> logits, double temperature = 1);

// The temperature T that minimises the NLL of sigmoid(logit / T) (Guo et al. 2017). The likelihood has its optimum at T
// -> 0 where every logit has the right sign (`separable`), and at infinity where they say nothing or the wrong thing
// (`useless`); then T is 1.
struct Temperature {
  double value = 1;
  double before = 0, after = 0;  // NLL
  bool separable = false, useless = false;
};
Temperature fit_temperature(std::span<const LogitOutcome> logits);

}  // namespace attune
