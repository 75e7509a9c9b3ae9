// Reward models of people who want different things: several sources (MORE), wrong labels (CRM), contexts (RPR).
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "attune/base/errors.h"
#include "attune/objectives/min_norm.h"
#include "support/objective_of.h"
#include "support/reward_world.h"

namespace attune {
namespace {

using objectives::min_norm_weights;
using testing::batch_of;
using testing::LinearRewards;
using testing::LinearWorld;
using testing::normal;
using testing::objective_of;
using testing::sigmoid;

double squared(const Tensor& vectors, const std::vector<double>& weights) {
  return at::matmul(at::tensor(weights, at::kDouble), vectors).square().sum().item<double>();
}

TEST(MinNorm, OfTwoVectorsIsTheClosedForm) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed, "two vectors");
    const Tensor g = normal(random, {2, 3});
    const Tensor step = g[1] - g[0];
    const double first = std::clamp((at::dot(step, g[1]) / at::dot(step, step)).item<double>(), 0.0, 1.0);
    EXPECT_NEAR(min_norm_weights(g)[0], first, 1e-9) << seed;
  }
}

TEST(MinNorm, OfThreeVectorsIsTheBestOfAGridAndAgainstNoneOfThem) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed, "three vectors");
    const Tensor g = normal(random, {3, 4});
    const auto weights = min_norm_weights(g);
    EXPECT_NEAR(weights[0] + weights[1] + weights[2], 1, 1e-12);
    const double least = squared(g, weights);
    for (int a = 0; a <= 20; ++a) {
      for (int b = 0; a + b <= 20; ++b) {
        EXPECT_LE(least, squared(g, {a / 20.0, b / 20.0, (20 - a - b) / 20.0}) + 1e-12) << seed;
      }
    }
    const Tensor inner = at::matmul(g, at::matmul(at::tensor(weights, at::kDouble), g));
    EXPECT_GE(inner.min().item<double>(), least - 1e-9) << seed;
  }
}

// Two sources that agree on quality and disagree on length; the one that likes long answers has four times the pairs.
struct TwoSources {
  static constexpr std::int64_t prompts = 450, of_first = 360;
  Random random;
  Tensor features;  // quality and length
  explicit TwoSources(std::uint64_t seed) : random(seed, "two sources"), features(drawn(prompts, 0.7)) {}
  Tensor drawn(std::int64_t count, double lengths) {
    return normal(random, {count, 2, 2}) * at::tensor({1.0, lengths}, at::kDouble);
  }
  static double gap(const Tensor& features, std::int64_t x, int feature) {
    return (features[x][0][feature] - features[x][1][feature]).item<double>();
  }
  Batch batch(const ObjectiveList& objectives, std::uint64_t seed) const {
    Random labels(seed, "labels");
    return batch_of(objectives, prompts, 2, [&](TokenRecord& record, std::int64_t x) {
      const double source = x < of_first ? 0 : 1, likes = x < of_first ? 2 : -2;
      const bool first = labels.uniform() < sigmoid(2 * gap(features, x, 0) + likes * gap(features, x, 1));
      record.preferences = {{.chosen = first ? 0 : 1, .rejected = first ? 1 : 0}};
      record.labels = {{.columns = {source}}, {.columns = {source}}};
    });
  }
};

// Expected calibration error in ten bins of the confidence, from 1/2 to 1.
double calibration_error(const Tensor& predicted, const Tensor& preferred) {
  double error = 0;
  for (int bin = 0; bin < 10; ++bin) {
    const Tensor confidence = at::maximum(predicted, 1 - predicted);
    const double low = 0.5 + 0.05 * bin;
    const Tensor in = ((confidence >= low) & (confidence < low + (bin == 9 ? 1 : 0.05))).to(at::kDouble);
    const Tensor right = ((predicted > 0.5) == (preferred > 0.5)).to(at::kDouble);
    error += std::abs((in * (confidence - right)).sum().item<double>()) / static_cast<double>(predicted.numel());
  }
  return error;
}

TEST(MultiSource, IsBetterCalibratedOnWhatTheSourcesShareThanMixingTheirPairs) {
  // On each of six seeds, and by a third at least in the mean; pairs of very different length, whose quality decides.
  double mixed = 0, weighted = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    TwoSources world(seed);
    const Tensor shared = world.drawn(2000, 2.1);
    const Tensor gaps = (shared.select(1, 0) - shared.select(1, 1)).select(1, 0);
    std::vector<double> verdicts;
    for (std::int64_t x = 0; x < 2000; ++x)
      verdicts.push_back(world.random.uniform() < sigmoid(2 * gaps[x].item<double>()));
    const auto error = [&](const char* yaml) {
      const auto objectives = objective_of(yaml);
      LinearRewards rewards(world.features, at::zeros({2, 1}, at::kDouble));
      rewards.descend(objectives, world.batch(objectives, seed), 0.5, 100);
      const Tensor scores = at::matmul(shared, rewards.weights().detach()).squeeze(2);
      return calibration_error(at::sigmoid(scores.select(1, 0) - scores.select(1, 1)),
                               at::tensor(verdicts, at::kDouble));
    };
    const double plain = error("{reward/bradley-terry: {}}"), more = error("{reward/multi-source: {step: 0.5}}");
    EXPECT_LT(more, plain) << seed;
    mixed += plain;
    weighted += more;
  }
  EXPECT_LT(weighted, 0.67 * mixed);
}

TEST(MultiSource, OfOneSourceIsBradleyTerryAndOfTwoTheClosedForm) {
  const auto plain = objective_of("{reward/bradley-terry: {}}"), more = objective_of("{reward/multi-source: {}}");
  Random random(3, "features");
  const Tensor features = normal(random, {4, 2, 3}), weights = normal(random, {3, 1});
  const auto batch = [&](const ObjectiveList& objectives, std::int64_t from, std::int64_t to, double second) {
    return batch_of(objectives, 4, 2, [&](TokenRecord& record, std::int64_t x) {
      const double source = x < 2 ? 0 : second;
      record.labels = {{.columns = {source}}, {.columns = {source}}};
      if (x >= from && x < to) record.preferences = {{.chosen = 0, .rejected = 1}};
    });
  };
  LinearRewards a(features, weights), b(features, weights);
  const auto [loss, gradient] = a.gradient(more, batch(more, 0, 4, 0));
  const auto [same_loss, same_gradient] = b.gradient(plain, batch(plain, 0, 4, 0));
  EXPECT_NEAR(loss, same_loss, 1e-12);
  EXPECT_TRUE(at::allclose(gradient, same_gradient, 1e-12, 1e-12));
  // Of two sources: twice the shortest point between their own gradients.
  LinearRewards both(features, weights);
  const Tensor mixed = both.gradient(more, batch(more, 0, 4, 1)).second.flatten();
  const Tensor one = b.gradient(plain, batch(plain, 0, 2, 0)).second.flatten();
  const Tensor other = b.gradient(plain, batch(plain, 2, 4, 0)).second.flatten();
  const auto lambda = min_norm_weights(at::stack({one, other}));
  EXPECT_TRUE(at::allclose(mixed, 2 * (lambda[0] * one + lambda[1] * other), 1e-9, 1e-12));
  EXPECT_GE(at::dot(mixed, one).item<double>(), -1e-9);
  EXPECT_GE(at::dot(mixed, other).item<double>(), -1e-9);
}

// 1200 pairs of which two in five are labelled the wrong way round.
struct NoisyLabels {
  LinearWorld world, unseen;
  std::vector<bool> wrong;
  explicit NoisyLabels(Random random) : world(random, 1200, 12, 1), unseen(random, 2000, world) {
    for (std::int64_t x = 0; x < world.prompts(); ++x) wrong.push_back(random.uniform() < 0.4);
  }
  Batch batch(const ObjectiveList& objectives) const {
    const Tensor gaps = world.gaps();
    return batch_of(objectives, world.prompts(), 2, [&](TokenRecord& record, std::int64_t x) {
      const bool first = (gaps[x].item<double>() > 0) != wrong[static_cast<std::size_t>(x)];
      record.preferences = {{.chosen = first ? 0 : 1, .rejected = first ? 1 : 0}};
    });
  }
  // Of the labels among the largest 60 % of the margins, the share that is wrong.
  double wrong_among_believed(const Tensor& weights) const {
    const Tensor margins = world.gaps(weights), truth = world.gaps();
    std::vector<std::pair<double, bool>> sorted;
    for (std::int64_t x = 0; x < world.prompts(); ++x) {
      const bool flipped = wrong[static_cast<std::size_t>(x)];
      const double sign = (truth[x].item<double>() > 0) != flipped ? 1 : -1;
      sorted.emplace_back(sign * margins[x].item<double>(), flipped);
    }
    std::sort(sorted.rbegin(), sorted.rend());
    const auto believed = static_cast<std::ptrdiff_t>(0.6 * static_cast<double>(sorted.size()));
    return static_cast<double>(
               std::count_if(sorted.begin(), sorted.begin() + believed, [](const auto& one) { return one.second; })) /
           static_cast<double>(believed);
  }
};

TEST(CollaborativeRewardModeling, LearnsFromTheRightLabelsWhereTwoInFiveAreWrong) {
  // More accurate than one Bradley-Terry model on each of five seeds, by two points in the mean.
  double gained = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Random random(seed, "noisy labels");
    const NoisyLabels data(random);
    const auto single = objective_of("{reward/bradley-terry: {}}"), crm = objective_of("{reward/crm: {noise: 0.4}}");
    LinearRewards one(data.world.features, normal(random, {12, 1}, 0.1));
    one.descend(single, data.batch(single), 2, 100);
    LinearRewards two(data.world.features, normal(random, {12, 2}, 0.1));
    two.descend(crm, data.batch(crm), 2, 100);
    const double alone = data.unseen.accuracy(one.weights().detach().select(1, 0));
    for (int peer = 0; peer < 2; ++peer) {
      const Tensor weights = two.weights().detach().select(1, peer);
      EXPECT_GT(data.unseen.accuracy(weights), alone) << seed;
      EXPECT_LT(data.wrong_among_believed(weights), 0.25) << seed;
      gained += (data.unseen.accuracy(weights) - alone) / 10;
    }
  }
  EXPECT_GT(gained, 0.02);
}

TEST(CollaborativeRewardModeling, ThatBelievesEveryLabelIsTwiceBradleyTerry) {
  const auto plain = objective_of("{reward/bradley-terry: {}}"), crm = objective_of("{reward/crm: {noise: 0}}");
  Random random(4, "features");
  const Tensor features = normal(random, {5, 2, 3}), weights = normal(random, {3, 2});
  const auto all = [](TokenRecord& record, std::int64_t) { record.preferences = {{.chosen = 0, .rejected = 1}}; };
  LinearRewards two(features, weights);
  const Tensor together = two.gradient(crm, batch_of(crm, 5, 2, all), {.fraction = 1}).second;
  for (int peer = 0; peer < 2; ++peer) {
    LinearRewards one(features, weights.slice(1, peer, peer + 1));
    const Tensor alone = one.gradient(plain, batch_of(plain, 5, 2, all)).second;
    EXPECT_TRUE(at::allclose(together.select(1, peer), alone.select(1, 0), 1e-12, 1e-12));
  }
  EXPECT_THROW(objective_of("{reward/crm: {head: {scalar: {}}}}")[0]->check(), ConfigError);
}

TEST(CollaborativeRewardModeling, EachPeerLearnsThePairThatTheOtherBelieves) {
  // Margins of the first peer 3 and 1, of the second 1 and 2; each believes one of the two pairs.
  const Tensor features = at::tensor({3.0, 1.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0}, at::kDouble).view({2, 2, 2});
  const auto crm = objective_of("{reward/crm: {noise: 0.5}}");
  LinearRewards two(features, at::eye(2, at::kDouble));
  const auto all = [](TokenRecord& record, std::int64_t) { record.preferences = {{.chosen = 0, .rejected = 1}}; };
  const double loss = two.gradient(crm, batch_of(crm, 2, 2, all), {.fraction = 1}).first;
  EXPECT_NEAR(loss, std::log1p(std::exp(-1.0)) + std::log1p(std::exp(-1.0)), 1e-12);  // the other's favourites
}

TEST(ContextConditionedRewards, FollowTheContextWhereOthersCannotDoBetterThanChance) {
  // Two rows an item, one under each of two contexts, which want the opposite; features of a row: what the answers are,
  // and the same times the context's sign. Who does not see the context has the first half alone.
  Random random(5, "contexts");
  const std::int64_t items = 100, width = 4;
  const LinearWorld world(random, items, width, 2), unseen(random, 400, world);
  const auto rows = [&](const Tensor& answers, double sign) { return at::cat({answers, sign * answers}, 2); };
  const auto objectives = objective_of("{reward/bradley-terry: {}}");
  const auto trained = [&](bool sees) {
    const Tensor both = at::cat({rows(world.features, 1), rows(world.features, -1)});
    LinearRewards rewards(sees ? both : both.slice(2, 0, width), at::zeros({sees ? 2 * width : width, 1}, at::kDouble));
    const Tensor gaps = world.gaps();
    rewards.descend(objectives,
                    batch_of(objectives, 2 * items, 2,
                             [&](TokenRecord& record, std::int64_t x) {
                               const bool first = (gaps[x % items].item<double>() > 0) == (x < items);
                               record.preferences = {{.chosen = first ? 0 : 1, .rejected = first ? 1 : 0}};
                             }),
                    1, 100);
    return rewards.weights().detach().select(1, 0);
  };
  // The share of new items whose answer wanted under a context (the first: by the truth) the model finds.
  const auto accuracy = [&](const Tensor& weights, double sign, double wanted) {
    const Tensor features = rows(unseen.features, sign).slice(2, 0, weights.size(0));
    const Tensor rewards = at::matmul(features, weights);
    return ((rewards.select(1, 0) > rewards.select(1, 1)) == (wanted * unseen.gaps() > 0))
        .to(at::kDouble)
        .mean()
        .item<double>();
  };
  const Tensor seeing = trained(true), blind = trained(false);
  for (const double context : {1.0, -1.0}) {
    EXPECT_GT(accuracy(seeing, context, context), 0.95);
    EXPECT_LT(accuracy(seeing, -context, context), 0.05);  // swapped, it prefers the other answer
  }
  EXPECT_NEAR((accuracy(blind, 1, 1) + accuracy(blind, -1, -1)) / 2, 0.5, 1e-12);
}

}  // namespace
}  // namespace attune
