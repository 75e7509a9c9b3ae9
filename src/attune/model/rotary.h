// Rotary positions (Su et al. 2021, "RoFormer") and the ways in which models stretch them beyond the lengths they were
// trained on.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace attune {

enum class RotaryScaling {
  none,
  linear,    // all frequencies divided by the factor (position interpolation, Chen et al. 2023, arXiv:2306.15595)
  dynamic,   // theta grows with the sequence once that is longer than the training's ("NTK-aware")
  yarn,      // long waves interpolated, short ones kept (Peng et al. 2023, "YaRN", arXiv:2309.00071)
  llama3,    // the same with a smooth passage between two wavelengths (Llama 3.1's released code)
  longrope,  // a searched factor for every frequency (Ding et al. 2024, "LongRoPE", arXiv:2402.13753)
};

struct RotaryConfig {
  std::int64_t width = 0;  // channels of a head that turn, from its first on
  double theta = 10000;
  RotaryScaling scaling = RotaryScaling::none;
  double factor = 1;
  std::int64_t positions = 0;                                  // sequences up to this length need no stretching
  double low_frequency_factor = 1, high_frequency_factor = 4;  // llama3
  double fast_turns = 32, slow_turns = 1;                     // yarn: turns over `positions` between which to pass over
  bool whole_channels = true;                                 // yarn: the passage begins and ends at whole channels
  double magnitude = 1;                                       // yarn, longrope: cosines and sines are multiplied by it
  std::vector<double> short_factors = {}, long_factors = {};  // longrope: up to `positions`, and beyond; width / 2 each
};

// Angles per position, width / 2 of them, for a sequence of `length` tokens.
std::vector<double> rotary_frequencies(const RotaryConfig& rotary, std::int64_t length = 1);

// Sequences whose lengths give the same number turn by the same frequencies. 0 but for dynamic and longrope beyond the
// training's lengths.
std::int64_t rotary_regime(const RotaryConfig& rotary, std::int64_t length);

}  // namespace attune
