#include "attune/diagnostics/implicit_reward.h"

#include <numeric>

#include "attune/base/errors.h"
#include "attune/stats/paired.h"

namespace attune::diagnostics {
namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

double credit(const Sides& reward) {
  return reward.chosen > reward.rejected ? 1 : reward.chosen == reward.rejected ? 0.5 : 0;
}

RewardAccuracy reward_accuracy(std::span<const Sides> rewards, std::uint64_t seed) {
  require(!rewards.empty(), "an accuracy of no pairs");
  std::vector<double> credits;
  for (const Sides& reward : rewards) credits.push_back(credit(reward));
  return {mean(credits), bootstrap_mean(credits, {.seed = seed})};
}

RewardGap reward_gap(std::span<const Sides> first, std::span<const Sides> second, std::uint64_t seed) {
  require(!first.empty() && first.size() == second.size(), "two rewards on different pairs");
  RewardGap result;
  std::vector<double> differences;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const double a = credit(first[i]), b = credit(second[i]);
    differences.push_back(a - b);
    result.only_first += a == 1 && b != 1 ? 1 : 0;
    result.only_second += b == 1 && a != 1 ? 1 : 0;
  }
  result.gap = mean(differences);
  result.interval = bootstrap_mean(differences, {.seed = seed});
  result.p = mcnemar_p(result.only_first, result.only_second);
  return result;
}

}  // namespace attune::diagnostics
