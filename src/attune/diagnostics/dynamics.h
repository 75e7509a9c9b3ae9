// What became of single pairs over a run (after Toneva et al. 2019, "An empirical study of example forgetting",
// arXiv:1812.05159: a pair is forgotten when it was right and is wrong at the next checkpoint).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace attune::diagnostics {

enum class Fate { kept, learned, forgotten, never };
inline constexpr std::array fates = {Fate::kept, Fate::learned, Fate::forgotten, Fate::never};
std::string_view name(Fate fate);

// `right`: at each checkpoint, in order, at least one. kept: right at the first and the last; learned: wrong at the
// first, right at the last; forgotten: right at some time, wrong at the last; never: at no checkpoint.
Fate fate_of(std::span<const std::uint8_t> right);

// From one checkpoint to the next.
struct Movement {
  std::int64_t to_right = 0, to_wrong = 0, stay_right = 0, stay_wrong = 0;
};

struct PairHistory {
  std::vector<double> loss = {};         // at each checkpoint
  std::vector<std::uint8_t> right = {};  // at each checkpoint
};

struct Dynamics {
  std::array<std::int64_t, fates.size()> by_fate = {};  // pairs, in order of `fates`
  std::vector<Movement> movements = {};                 // one fewer than checkpoints
  std::vector<double> mean_loss = {}, accuracy = {};    // of each checkpoint
  std::int64_t forgetting_events = 0;                   // right, then wrong at the next
};
Dynamics dynamics_of(std::span<const PairHistory> pairs);

}  // namespace attune::diagnostics
