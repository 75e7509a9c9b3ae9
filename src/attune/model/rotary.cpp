#include "attune/model/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attune {
namespace {

// Long waves are stretched by `factor`, short ones kept, those between interpolated.
double llama3_frequency(const RotaryConfig& rotary, double frequency) {
  const double wave = 2 * std::numbers::pi / frequency;
  const double smooth = (static_cast<double>(rotary.positions) / wave - rotary.low_frequency_factor) /
                        (rotary.high_frequency_factor - rotary.low_frequency_factor);
  const double kept = std::clamp(smooth, 0.0, 1.0);
  return (1 - kept) * frequency / rotary.factor + kept * frequency;
}

// The pair of channels that turns `turns` times over the training's positions, as a real number.
double channel_of(const RotaryConfig& rotary, double turns) {
  return static_cast<double>(rotary.width) *
         std::log(static_cast<double>(rotary.positions) / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(rotary.theta));
}

// YaRN, equations 17 to 19: how much of the frequency of pair i is kept.
double yarn_kept(const RotaryConfig& rotary, std::int64_t i) {
  double low = channel_of(rotary, rotary.fast_turns), high = channel_of(rotary, rotary.slow_turns);
  if (rotary.whole_channels) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(rotary.width - 1));
  if (low == high) high += 0.001;
  return 1 - std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
}

double dynamic_theta(const RotaryConfig& rotary, std::int64_t length) {
  const double over = static_cast<double>(std::max(length, rotary.positions)) / static_cast<double>(rotary.positions);
  const auto width = static_cast<double>(rotary.width);
  return rotary.theta * std::pow(rotary.factor * over - (rotary.factor - 1), width / (width - 2));
}

}  // namespace

std::vector<double> rotary_frequencies(const RotaryConfig& rotary, std::int64_t length) {
  const double theta = rotary.scaling == RotaryScaling::dynamic ? dynamic_theta(rotary, length) : rotary.theta;
  const auto& factors = length > rotary.positions ? rotary.long_factors : rotary.short_factors;
  std::vector<double> result;
  for (std::int64_t i = 0; i < rotary.width / 2; ++i) {
    double frequency = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(rotary.width));
    switch (rotary.scaling) {
      case RotaryScaling::none:
      case RotaryScaling::dynamic:
        break;
      case RotaryScaling::linear:
        frequency /= rotary.factor;
        break;
      case RotaryScaling::yarn: {
        const double kept = yarn_kept(rotary, i);
        frequency = (1 - kept) * frequency / rotary.factor + kept * frequency;
        break;
      }
      case RotaryScaling::llama3:
        frequency = llama3_frequency(rotary, frequency);
        break;
      case RotaryScaling::longrope:
        frequency /= factors[static_cast<std::size_t>(i)];
        break;
    }
    result.push_back(frequency);
  }
  return result;
}

std::int64_t rotary_regime(const RotaryConfig& rotary, std::int64_t length) {
  if (length <= rotary.positions) return 0;
  if (rotary.scaling == RotaryScaling::dynamic) return length;
  return rotary.scaling == RotaryScaling::longrope ? 1 : 0;
}

}  // namespace attune
