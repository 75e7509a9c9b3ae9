// How often a reward prefers the chosen answer, and whether two rewards differ on the same pairs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "attune/diagnostics/pairs.h"
#include "attune/stats/bootstrap.h"

namespace attune::diagnostics {

// 1 where the reward of the chosen answer is higher, 0.5 for a tie, 0 else.
double credit(const Sides& reward);

struct RewardAccuracy {
  double accuracy = 0;     // mean credit
  Interval interval = {};  // bootstrap over pairs, 95 %
};
RewardAccuracy reward_accuracy(std::span<const Sides> rewards, std::uint64_t seed);

// Two rewards on the same pairs.
struct RewardGap {
  double gap = 0;                                // mean credit of the first minus the second
  Interval interval = {};                        // bootstrap over pairs
  std::int64_t only_first = 0, only_second = 0;  // pairs with full credit from one of them alone
  double p = 1;                                  // McNemar's, exact, of those two counts
};
RewardGap reward_gap(std::span<const Sides> first, std::span<const Sides> second, std::uint64_t seed);

}  // namespace attune::diagnostics
