// Fates of pairs over checkpoints, on histories written by hand and on models whose order is known.
#include "attune/diagnostics/dynamics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "unit/diagnostics/support.h"

namespace attune::diagnostics {
namespace {

using testing::number;
using testing::tiny_model;
using Right = std::vector<std::uint8_t>;

TEST(PairDynamics, TheFateIsReadOffTheHistory) {
  EXPECT_EQ(fate_of(Right{1, 1, 1}), Fate::kept);
  EXPECT_EQ(fate_of(Right{1, 0, 1}), Fate::kept);
  EXPECT_EQ(fate_of(Right{0, 0, 1}), Fate::learned);
  EXPECT_EQ(fate_of(Right{0, 1, 0}), Fate::forgotten);
  EXPECT_EQ(fate_of(Right{1, 0, 0}), Fate::forgotten);
  EXPECT_EQ(fate_of(Right{0, 0, 0}), Fate::never);
}

TEST(PairDynamics, MovementsAddUpToAllPairsAtEveryStep) {
  std::vector<PairHistory> pairs = {
      {{3, 2, 1}, {0, 0, 1}}, {{1, 1, 4}, {1, 1, 0}}, {{2, 1, 2}, {0, 1, 0}}, {{5, 5, 5}, {0, 0, 0}}};
  const Dynamics dynamics = dynamics_of(pairs);
  EXPECT_EQ(dynamics.by_fate, (std::array<std::int64_t, 4>{0, 1, 2, 1}));
  EXPECT_EQ(dynamics.forgetting_events, 2);
  ASSERT_EQ(dynamics.movements.size(), 2U);
  EXPECT_EQ(dynamics.movements[0].to_right, 1);
  EXPECT_EQ(dynamics.movements[1].to_wrong, 2);
  for (const Movement& movement : dynamics.movements) {
    EXPECT_EQ(movement.to_right + movement.to_wrong + movement.stay_right + movement.stay_wrong, 4);
  }
  EXPECT_DOUBLE_EQ(dynamics.mean_loss[2], 3);
  EXPECT_DOUBLE_EQ(dynamics.accuracy[1], 0.5);
}

TEST(PairDynamics, LossesAreThoseOfTheObjectiveAgainstTheFirstModelUnlessAReferenceIsNamed) {
  const LanguageModel first = tiny_model(testing::small_llama, at::kDouble, 1);
  const LanguageModel last = tiny_model(testing::small_llama, at::kDouble, 2);
  const auto records = testing::random_pairs(8);
  Subject subject{.models = {testing::source_of(first, "first"), testing::source_of(last, "last")}};
  subject.data.push_back({.name = "pairs", .records = records});
  const Json json = testing::diagnostic("pair-dynamics")->run(subject).json;
  double right = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto difference = [&](const LanguageModel& model) {
      return testing::brute_force_logp(model, records[i].prompt, records[i].completions[0].ids) -
             testing::brute_force_logp(model, records[i].prompt, records[i].completions[1].ids);
    };
    const auto& losses = json.find("by_pair")->items()[i].find("losses")->items();
    EXPECT_DOUBLE_EQ(losses[0].number(), std::log(2.0));
    EXPECT_NEAR(losses[1].number(), std::log1p(std::exp(-0.1 * (difference(last) - difference(first)))), 1e-9);
    right += difference(last) >= 0 ? 1 : 0;
  }
  EXPECT_DOUBLE_EQ(number(json.find("checkpoints")->items()[1], "right"), right / 8);
  EXPECT_EQ(number(*json.find("fates"), "kept") + number(*json.find("fates"), "learned"), right);
}

}  // namespace
}  // namespace attune::diagnostics
