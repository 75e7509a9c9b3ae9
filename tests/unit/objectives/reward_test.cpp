// Losses of reward models against their closed forms, against each other, and what their papers claim of them.
#include <ATen/ops/allclose.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/base/errors.h"
#include "attune/heads/reward_head.h"
#include "support/linear_rewards.h"
#include "support/objective_of.h"

namespace attune {
namespace {

using testing::batch_of;
using testing::LinearRewards;
using testing::normal;
using testing::objective_of;

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

double logistic(double x) { return std::log1p(std::exp(-x)); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Two prompts with two answers of one feature, which is the reward at weight 1: differences 1.5 and -0.5.
LinearRewards two_pairs() {
  return {at::tensor({2.0, 0.5, 0.25, 0.75}, at::kDouble).view({2, 2, 1}), at::ones({1, 1}, at::kDouble)};
}

Batch paired(const ObjectiveList& objectives) {
  return batch_of(objectives, 2, 2, [](TokenRecord& record, std::int64_t x) {
    record.preferences = {{.chosen = 0, .rejected = 1, .margin = x == 0 ? 1.0 : 3.0}};
    record.ballots = {{.chosen = 0,
                       .rejected = 1,
                       .margin = x == 0 ? 1.0 : 3.0,
                       .probability = x == 0 ? 1.0 : 0.6,
                       .votes = {0, x == 0 ? 0.0 : 2.0, 0, 3, 0, 0, 0}}};
  });
}

struct Case {
  const char* yaml;
  double loss;
  double slope;  // of the loss along the one weight
};

TEST(BradleyTerry, ItsFormsAreThoseOfThePapers) {
  const double d1 = 1.5, d2 = -0.5;
  const auto pull = [](double x) { return -sigmoid(-x); };
  const Case cases[] = {
      {"{reward/bradley-terry: {}}", (logistic(d1) + logistic(d2)) / 2, (pull(d1) * d1 + pull(d2) * d2) / 2},
      {"{reward/bradley-terry: {margin: offset}}", (logistic(d1 - 1) + logistic(d2 - 3)) / 2,
       (pull(d1 - 1) * d1 + pull(d2 - 3) * d2) / 2},
      {"{reward/bradley-terry: {margin: scale}}", (logistic(d1) + 3 * logistic(d2)) / 2,
       (pull(d1) * d1 + 3 * pull(d2) * d2) / 2},
      {"{reward/bradley-terry: {center: 0.01}}",  // sums of both sides 2.5 and 1
       (logistic(d1) + logistic(d2) + 0.01 * (6.25 + 1)) / 2,
       (pull(d1) * d1 + pull(d2) * d2 + 0.01 * 2 * (6.25 + 1)) / 2},
      {"{reward/bradley-terry: {label_smoothing: 0.1}}",
       (0.9 * (logistic(d1) + logistic(d2)) + 0.1 * (logistic(-d1) + logistic(-d2))) / 2,
       (0.9 * (pull(d1) * d1 + pull(d2) * d2) - 0.1 * (pull(-d1) * d1 + pull(-d2) * d2)) / 2},
      {"{reward/bradley-terry: {votes: share}}", (logistic(d1) + 0.6 * logistic(d2) + 0.4 * logistic(-d2)) / 2,
       (pull(d1) * d1 + 0.6 * pull(d2) * d2 - 0.4 * pull(-d2) * d2) / 2},
      {"{reward/bradley-terry: {votes: majority}}", (logistic(d1) + logistic(d2)) / 2,
       (pull(d1) * d1 + pull(d2) * d2) / 2},
      {"{reward/bradley-terry: {votes: majority, agreement: 2}}",  // margins 2 (2 - 1) and 2 (1.2 - 1)
       (logistic(d1 - 2) + logistic(d2 - 0.4)) / 2, (pull(d1 - 2) * d1 + pull(d2 - 0.4) * d2) / 2},
  };
  for (const Case& one : cases) {
    const auto objectives = objective_of(one.yaml);
    LinearRewards rewards = two_pairs();
    const auto [loss, gradient] = rewards.gradient(objectives, paired(objectives));
    EXPECT_NEAR(loss, one.loss, 1e-12) << one.yaml;
    EXPECT_NEAR(gradient.item<double>(), one.slope, 1e-12) << one.yaml;
  }
}

TEST(BradleyTerry, AMarginThatScalesIsAsManyCopiesOfThePair) {
  const auto scaled = objective_of("{reward/bradley-terry: {margin: scale}}");
  const auto plain = objective_of("{reward/bradley-terry: {}}");
  const auto once = [](TokenRecord& record, std::int64_t x) {
    record.preferences = {{.chosen = 0, .rejected = 1, .margin = static_cast<double>(1 + x)}};
  };
  const auto copied = [](TokenRecord& record, std::int64_t x) {
    record.preferences.assign(static_cast<std::size_t>(1 + x), {.chosen = 0, .rejected = 1});
  };
  Random random(1, "features");
  const Tensor features = normal(random, {3, 2, 4}), weights = normal(random, {4, 1});
  LinearRewards a(features, weights), b(features, weights);
  const auto [loss, gradient] = a.gradient(scaled, batch_of(scaled, 3, 2, once));
  const auto [copies_loss, copies_gradient] = b.gradient(plain, batch_of(plain, 3, 2, copied));
  EXPECT_NEAR(3 * loss, 6 * copies_loss, 1e-12);  // sums: 3 pairs against 1 + 2 + 3
  EXPECT_TRUE(at::allclose(3 * gradient, 6 * copies_gradient, 1e-12, 1e-12));
}

TEST(BradleyTerry, AnAnswerInSeveralPairsIsComputedOnce) {
  const auto objectives = objective_of("{reward/bradley-terry: {}}");
  const Batch batch = batch_of(objectives, 1, 4, [](TokenRecord& record, std::int64_t) {
    for (std::int32_t a = 0; a < 4; ++a) {
      for (std::int32_t b = a + 1; b < 4; ++b) record.preferences.push_back({.chosen = a, .rejected = b});
    }
  });
  EXPECT_EQ(batch.responses.size(), 4u);
  EXPECT_EQ(batch.pairs.size(), 6u);
}

TEST(BradleyTerry, OptionsThatExcludeEachOtherAreRefused) {
  EXPECT_THROW(objective_of("{reward/bradley-terry: {votes: share, agreement: 1}}")[0]->check(), ConfigError);
  EXPECT_THROW(objective_of("{reward/bradley-terry: {center: 0.1, head: {gpm: {}}}}")[0]->check(), ConfigError);
  EXPECT_THROW(objective_of("{reward/verdicts: {head: {scalar: {}}}}")[0]->check(), ConfigError);
  EXPECT_THROW(objective_of("{reward/ratings: {head: {scalar: {}}}}")[0]->check(), ConfigError);
  EXPECT_THROW(needs_of(objective_of("[{reward/bradley-terry: {}}, {dpo: {}}]")), ConfigError);
  EXPECT_THROW(needs_of(objective_of("[{reward/bradley-terry: {}}, {reward/verdicts: {}}]")), ConfigError);
}

TEST(Regression, LeavesOutWhatNobodyRated) {
  const auto objectives = objective_of("{reward/regression: {head: {attributes: {names: [a, b]}}}}");
  LinearRewards rewards(at::tensor({1.0, 2.0, 3.0}, at::kDouble).view({1, 3, 1}),
                        at::tensor({1.0, -1.0}, at::kDouble).view({1, 2}));  // outputs (1, -1), (2, -2), (3, -3)
  const Batch batch = batch_of(objectives, 1, 3, [](TokenRecord& record, std::int64_t) {
    record.labels.resize(3);
    record.labels[0].columns = {4, 1};        // errors -3 and -2
    record.labels[1].columns = {missing, 0};  // error -2
    record.labels[2].columns = {missing, missing};
  });
  EXPECT_EQ(batch.responses.size(), 2u);
  const auto [loss, gradient] = rewards.gradient(objectives, batch);
  EXPECT_NEAR(loss, (9 + 4 + 4) / 3.0, 1e-12);
  EXPECT_TRUE(at::allclose(gradient, at::tensor({-6.0 / 3, (-4 * 1 - 4 * 2) / 3.0}, at::kDouble).view({1, 2}), 1e-12));
}

TEST(Ratings, OutsideTheScaleAreRefused) {
  const auto objectives = objective_of("{reward/ratings: {}}");
  const auto rated = [&](double outside) {
    return batch_of(objectives, 1, 1, [&](TokenRecord& record, std::int64_t) {
      record.labels.resize(1);
      record.labels[0].columns = {0, 0.5, 0.5 - outside, 0, 0};
    });
  };
  EXPECT_NO_THROW(rated(0));
  EXPECT_THROW(rated(0.25), DataError);
}

TEST(Verdicts, APreferenceOfNoDegreeStandsForBothDegrees) {
  const auto objectives = objective_of("{reward/verdicts: {}}");
  LinearRewards rewards(at::tensor({0.7, 0.3, 0.2, -0.4}, at::kDouble).view({1, 2, 2}), at::eye(2, at::kDouble));
  const auto loss_of = [&](const std::array<double, vote_kinds>& votes) {
    const Batch batch = batch_of(objectives, 1, 2, [&](TokenRecord& record, std::int64_t) {
      record.ballots = {{.chosen = 0, .rejected = 1, .votes = votes}};
    });
    return rewards.gradient(objectives, batch).first;
  };
  const double clear = std::exp(-loss_of({0, 0, 0, 0, 1, 0, 0})), slight = std::exp(-loss_of({0, 0, 0, 1, 0, 0, 0}));
  EXPECT_NEAR(std::exp(-loss_of({0, 0, 0, 0, 0, 0, 1})), clear + slight, 1e-12);
  // KL of shares 1/4 and 3/4 to the same two probabilities.
  EXPECT_NEAR(loss_of({0, 0, 0, 3, 1, 0, 0}), 0.25 * std::log(0.25 / clear) + 0.75 * std::log(0.75 / slight), 1e-12);
}

// The share of pairs of a positive and a negative in which the positive scores higher.
double auroc(const std::vector<double>& positives, const std::vector<double>& negatives) {
  double above = 0;
  for (const double p : positives) {
    for (const double n : negatives) above += p > n ? 1 : p == n ? 0.5 : 0;
  }
  return above / static_cast<double>(positives.size() * negatives.size());
}

// Pairs of answers with two features each: how good, and how much of what divides people. Where the second answer
// divides, five annotators split; else they agree on the better one.
struct DividedWorld {
  static constexpr std::int64_t prompts = 400;
  Tensor features;
  std::vector<bool> divided;
  explicit DividedWorld(std::uint64_t seed) {
    Random random(seed, "divided world");
    std::vector<double> values;
    for (std::int64_t x = 0; x < prompts; ++x) {
      divided.push_back(x % 2 == 0);
      for (int answer = 0; answer < 2; ++answer) {
        values.insert(values.end(), {random.normal(), divided.back() ? 1.0 : 0.0, 1.0});
      }
    }
    features = at::tensor(values, at::kDouble).view({prompts, 2, 3});
  }
  double quality(std::int64_t x, std::int64_t y) const { return features[x][y][0].item<double>(); }
  Batch batch(const ObjectiveList& objectives) const {
    return batch_of(objectives, prompts, 2, [&](TokenRecord& record, std::int64_t x) {
      const bool first = quality(x, 0) > quality(x, 1);
      const auto winner = static_cast<std::int32_t>(first ? 0 : 1);
      const double against = divided[static_cast<std::size_t>(x)] ? 2 : 0;
      record.ballots = {{.chosen = winner,
                         .rejected = 1 - winner,
                         .probability = (5 - against) / 5,
                         .votes = {against, 0, 0, 0, 5 - against, 0, 0}}};
    });
  }
};

struct Found {
  double accuracy = 0, auroc = 0;
};

// `certainty` of a pair from the outputs of both answers: low where people are expected to differ.
template <class Certainty>
Found judge(const DividedWorld& world, const Tensor& outputs, const Certainty& certainty) {
  Found found;
  std::vector<double> divided, agreed;
  for (std::int64_t x = 0; x < DividedWorld::prompts; ++x) {
    const double difference = (outputs[x][0][0] - outputs[x][1][0]).item<double>();
    found.accuracy += ((difference > 0) == (world.quality(x, 0) > world.quality(x, 1))) / double(world.prompts);
    (world.divided[static_cast<std::size_t>(x)] ? divided : agreed).push_back(-certainty(outputs[x][0], outputs[x][1]));
  }
  found.auroc = auroc(divided, agreed);
  return found;
}

TEST(Verdicts, FindThePairsThatDividePeopleWhereBradleyTerryCannotAtEqualAccuracy) {
  const auto softplus = [](const Tensor& x) { return std::log1p(std::exp(x.item<double>())); };
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const DividedWorld world(seed);
    Random random(seed, "start");
    const auto scalar = objective_of("{reward/bradley-terry: {votes: share}}");
    LinearRewards plain(world.features, normal(random, {3, 1}, 0.01));
    plain.descend(scalar, world.batch(scalar), 0.5, 150);
    const Found bt = judge(world, plain.outputs(),
                           [](const Tensor& a, const Tensor& b) { return std::abs((a[0] - b[0]).item<double>()); });
    const auto spread = objective_of("{reward/verdicts: {}}");
    LinearRewards mean_variance(world.features, normal(random, {3, 2}, 0.01));
    mean_variance.descend(spread, world.batch(spread), 0.2, 300);
    const Found mv = judge(world, mean_variance.outputs(), [&](const Tensor& a, const Tensor& b) {
      return std::abs((a[0] - b[0]).item<double>()) - (softplus(a[1]) + softplus(b[1]));
    });
    EXPECT_GT(bt.accuracy, 0.95) << seed;
    EXPECT_GT(mv.accuracy, 0.95) << seed;
    EXPECT_NEAR(bt.auroc, 0.5, 0.1) << seed;
    EXPECT_GT(mv.auroc, 0.8) << seed;
  }
}

TEST(GeneralPreferenceModel, LearnsAPreferenceThatGoesRoundWhereBradleyTerryCannot) {
  // Three answers to one prompt, each a feature of its own: 0 beats 1, 1 beats 2, 2 beats 0.
  const Tensor features = at::eye(3, at::kDouble).unsqueeze(0);
  const auto cycle = [](TokenRecord& record, std::int64_t) {
    record.preferences = {{.chosen = 0, .rejected = 1}, {.chosen = 1, .rejected = 2}, {.chosen = 2, .rejected = 0}};
  };
  // How many of the three pairs come out right, and the least probability of one.
  const auto right = [](const char* head, const LinearRewards& rewards) {
    const auto part = find_part<RewardHead>(head)->part->make();
    double least = 1;
    int pairs = 0;
    for (const auto& [a, b] : {std::pair{0, 1}, std::pair{1, 2}, std::pair{2, 0}}) {
      const Tensor all = rewards.outputs()[0];
      const double p = sigmoid(part->log_odds(all[a].unsqueeze(0), all[b].unsqueeze(0)).item<double>());
      least = std::min(least, p);
      pairs += p > 0.5;
    }
    return std::pair{pairs, least};
  };
  Random random(2, "start");
  const auto gpm = objective_of("{reward/bradley-terry: {head: {gpm: {}}}}");
  LinearRewards vectors(features, normal(random, {3, 2}, 0.1));
  vectors.descend(gpm, batch_of(gpm, 1, 3, cycle), 0.1, 400);
  EXPECT_EQ(right("gpm", vectors).first, 3);
  EXPECT_GT(right("gpm", vectors).second, 0.99);
  const auto scalar = objective_of("{reward/bradley-terry: {}}");
  LinearRewards numbers(features, normal(random, {3, 1}, 0.1));
  numbers.descend(scalar, batch_of(scalar, 1, 3, cycle), 0.5, 400);
  EXPECT_LE(right("scalar", numbers).first, 2);
}

}  // namespace
}  // namespace attune
