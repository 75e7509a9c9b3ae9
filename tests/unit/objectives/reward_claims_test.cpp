// What papers claim of losses of reward models, on worlds whose truth is known.
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "attune/model/weight_tools.h"
#include "support/objective_of.h"
#include "support/reward_world.h"

namespace attune {
namespace {

using testing::batch_of;
using testing::LinearRewards;
using testing::LinearWorld;
using testing::normal;
using testing::objective_of;
using testing::sigmoid;

// Users who prefer the first answer with probability sigmoid(2 gap); one of them labels each pair, five more are asked.
Batch labelled_by_users(const LinearWorld& world, Random random, const ObjectiveList& objectives) {
  const Tensor gaps = world.gaps();
  return batch_of(objectives, world.prompts(), 2, [&](TokenRecord& record, std::int64_t x) {
    const double share = sigmoid(2 * gaps[x].item<double>());
    const bool first = random.uniform() < share;
    std::array<double, vote_kinds> votes{};
    for (int user = 0; user < 5; ++user) {
      const bool agrees = (random.uniform() < share) == first;
      votes[static_cast<std::size_t>(agrees ? PairVote::chosen : PairVote::rejected)] += 1;
    }
    record.preferences = {{.chosen = first ? 0 : 1, .rejected = first ? 1 : 0, .votes = votes}};
  });
}

TEST(BeyondTheBinary, AMarginOfAgreementCalibratesWhereOneLabelAPairDoesNot) {
  // Mean |predicted share - true share of users| on new pairs, lower on each of ten seeds: p < 1e-3 by the sign test.
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random(seed, "users");
    const LinearWorld world(random, 100, 24, 1);
    const LinearWorld unseen(random, 500, world);
    const auto error = [&](const char* yaml) {
      const auto objectives = objective_of(yaml);
      LinearRewards rewards(world.features, at::zeros({24, 1}, at::kDouble));
      rewards.descend(objectives, labelled_by_users(world, Random(seed, "labels"), objectives), 0.5, 40);
      const Tensor predicted = at::sigmoid(unseen.gaps(rewards.weights().detach().select(1, 0)));
      return (predicted - at::sigmoid(2 * unseen.gaps())).abs().mean().item<double>();
    };
    const double plain = error("{reward/bradley-terry: {}}");
    EXPECT_LT(error("{reward/bradley-terry: {agreement: 1}}"), plain) << seed;
    EXPECT_EQ(error("{reward/bradley-terry: {agreement: 0}}"), plain) << seed;
  }
}

// HelpSteer2-Preference on a known truth: ratings of single answers from 0 to 4 and signed strengths from -3 to 3, each
// from the true rewards plus noise, so that weak preferences are the doubtful ones.
class Recipe {
 public:
  explicit Recipe(std::uint64_t seed)
      : random_(seed, "recipe"),
        world_(random_, pairs, 24, 1.2),
        validation_(random_, 1000, world_),
        unseen_(random_, 1000, world_),
        features_(at::cat({world_.features, at::ones({pairs, 2, 1}, at::kDouble)}, 2)) {
    const Tensor rewards = at::matmul(world_.features, world_.truth), gaps = world_.gaps();
    for (std::int64_t x = 0; x < pairs; ++x) {
      for (std::int64_t y = 0; y < 2; ++y) {
        ratings_.push_back(std::clamp(std::round(2 + rewards[x][y].item<double>() + 1.5 * random_.normal()), 0.0, 4.0));
      }
      strengths_.push_back(std::clamp(std::round(gaps[x].item<double>() + random_.normal()), -3.0, 3.0));
    }
  }

  Tensor regression() const {
    return trained("{reward/regression: {head: {attributes: {}}}}", at::zeros({25, 1}, at::kDouble), 60);
  }
  Tensor scaled(const Tensor& start, int steps) const {
    return trained("{reward/bradley-terry: {head: {attributes: {}}, margin: scale}}", start, steps);
  }
  double accuracy(const Tensor& weights) const { return unseen_.accuracy(weights.select(1, 0).slice(0, 0, 24)); }
  double validated(const Tensor& weights) const { return validation_.accuracy(weights.select(1, 0).slice(0, 0, 24)); }

 private:
  static constexpr std::int64_t pairs = 120;

  Tensor trained(const char* yaml, const Tensor& start, int steps) const {
    const auto objectives = objective_of(yaml);
    LinearRewards rewards(features_, start);
    const Batch batch = batch_of(objectives, pairs, 2, [&](TokenRecord& record, std::int64_t x) {
      const auto at = static_cast<std::size_t>(x);
      record.labels = {{.columns = {ratings_[2 * at]}}, {.columns = {ratings_[2 * at + 1]}}};
      const double strength = strengths_[at];
      if (strength == 0) return;
      record.preferences = {
          {.chosen = strength > 0 ? 0 : 1, .rejected = strength > 0 ? 1 : 0, .margin = std::abs(strength)}};
    });
    rewards.descend(objectives, batch, 0.1, steps);
    return rewards.weights().detach();
  }

  Random random_;
  LinearWorld world_, validation_, unseen_;
  Tensor features_;  // with a constant, which ratings need
  std::vector<double> ratings_, strengths_;
};

TEST(HelpSteer2Preference, RegressionThenScaledComparisonsIsAtLeastAsAccurateAsEachAlone) {
  // In the mean of five seeds, by a point at least.
  double ratings_alone = 0, comparisons_alone = 0, chained = 0, extrapolated = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Recipe recipe(seed);
    const Tensor ratings = recipe.regression(), chain = recipe.scaled(ratings, 20);
    ratings_alone += recipe.accuracy(ratings) / 5;
    comparisons_alone += recipe.accuracy(recipe.scaled(at::zeros({25, 1}, at::kDouble), 60)) / 5;
    chained += recipe.accuracy(chain) / 5;
    // ExPO: as far beyond the second stage as validation pairs like best.
    Tensor best = chain;
    for (const double alpha : {0.1, 0.2, 0.3, 0.5, 1.0, 2.0}) {
      const Tensor beyond = extrapolate(chain, ratings, alpha);
      if (recipe.validated(beyond) > recipe.validated(best)) best = beyond;
    }
    extrapolated += recipe.accuracy(best) / 5;
  }
  EXPECT_GT(chained, ratings_alone + 0.01);
  EXPECT_GT(chained, comparisons_alone + 0.01);
  EXPECT_GE(extrapolated, chained - 0.005);  // a standard error of 5 x 1000 pairs
}

}  // namespace
}  // namespace attune
