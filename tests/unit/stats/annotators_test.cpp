// Models of annotators on generated truth: recovery, likelihoods that never fall, names that do not matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "attune/base/random.h"
#include "attune/stats/crowd_bt.h"
#include "attune/stats/dawid_skene.h"
#include "attune/stats/glad.h"
#include "attune/stats/mace.h"
#include "attune/stats/ranks.h"

namespace attune {
namespace {

// Raters 0..4 are right with these chances, else say anything; rater 5 always says label 1.
struct World {
  LabelVotes votes = {};
  std::vector<std::int32_t> truth = {};
};
constexpr double skills[] = {0.95, 0.85, 0.7, 0.5, 0.2};

World world(std::int32_t items, std::int32_t labels) {
  Random random(3, "world");
  World world{.votes = {.items = items, .raters = 6, .labels = labels}};
  for (std::int32_t i = 0; i < items; ++i) {
    const auto truth = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(labels)));
    world.truth.push_back(truth);
    for (std::int32_t r = 0; r < 5; ++r) {
      const bool knows = random.uniform() < skills[r];
      const auto guess = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(labels)));
      world.votes.votes.push_back({i, r, knows ? truth : guess});
    }
    world.votes.votes.push_back({i, 5, 1});
  }
  return world;
}

double right(const World& world, const LabelBeliefs& beliefs) {
  const auto labels = likeliest_labels(beliefs, world.votes.labels);
  double count = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) count += labels[i] == world.truth[i] ? 1 : 0;
  return count / static_cast<double>(labels.size());
}

void expect_never_falling(const std::vector<double>& likelihoods) {
  ASSERT_GT(likelihoods.size(), 2u);
  for (std::size_t i = 1; i < likelihoods.size(); ++i) {
    EXPECT_GE(likelihoods[i], likelihoods[i - 1] - 1e-9 * std::abs(likelihoods[i])) << i;
  }
}

TEST(Annotators, EveryModelIsRighterThanTheVotes) {
  const World truth = world(400, 3);
  const double majority = right(truth, vote_shares(truth.votes));
  EXPECT_GT(right(truth, fit_dawid_skene(truth.votes).beliefs), majority + 0.02);
  EXPECT_GT(right(truth, fit_mace(truth.votes).beliefs), majority + 0.02);
  EXPECT_GT(right(truth, fit_glad(truth.votes).beliefs), majority + 0.02);
}

TEST(Annotators, LikelihoodsNeverFall) {
  const World truth = world(150, 3);
  expect_never_falling(fit_dawid_skene(truth.votes).likelihoods);
  expect_never_falling(fit_dawid_skene(truth.votes, {.smoothing = 0.5}).likelihoods);
  expect_never_falling(fit_mace(truth.votes, {.restarts = 2, .variational = false}).likelihoods);
  expect_never_falling(fit_glad(truth.votes).likelihoods);
}

TEST(Annotators, SkillsComeOutInTheirOrder) {
  const World truth = world(600, 3);
  const auto mace = fit_mace(truth.votes).competence;
  for (std::size_t r = 0; r < 5; ++r) EXPECT_NEAR(mace[r], skills[r], 0.12) << r;
  EXPECT_LT(mace[5], 0.1);  // who says the same of everything spams
  const auto ability = fit_glad(truth.votes).ability;
  for (std::size_t r = 1; r < 5; ++r) EXPECT_LT(ability[r], ability[r - 1]) << r;
  const auto model = fit_dawid_skene(truth.votes);
  const auto accuracy = rater_accuracies(model);
  for (std::size_t r = 0; r < 5; ++r) EXPECT_NEAR(accuracy[r], skills[r] + (1 - skills[r]) / 3, 0.06) << r;
}

TEST(Annotators, NamesOfLabelsAndOrderOfVotesDoNotMatter) {
  const World truth = world(120, 3);
  LabelVotes renamed = truth.votes;
  for (LabelVote& vote : renamed.votes) vote.label = (vote.label + 1) % 3;
  std::reverse(renamed.votes.begin(), renamed.votes.end());
  const auto before = fit_dawid_skene(truth.votes).beliefs, after = fit_dawid_skene(renamed).beliefs;
  const auto glad = fit_glad(truth.votes).beliefs, glad_after = fit_glad(renamed).beliefs;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const std::size_t moved = i / 3 * 3 + (i % 3 + 1) % 3;
    EXPECT_NEAR(before[i], after[moved], 1e-6);
    EXPECT_NEAR(glad[i], glad_after[moved], 1e-3);  // its steps end at a tolerance
  }
}

TEST(Annotators, HardItemsHaveLittleEase) {
  // Everybody is right on the first half; on the second they are split.
  LabelVotes votes{.items = 40, .raters = 6, .labels = 2};
  for (std::int32_t i = 0; i < 40; ++i) {
    for (std::int32_t r = 0; r < 6; ++r) votes.votes.push_back({i, r, i < 20 ? i % 2 : (r + i) % 2});
  }
  const Glad model = fit_glad(votes);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_GT(model.ease[i], model.ease[20 + i]);
}

TEST(CrowdBt, FindsStrengthsAndTheLiar) {
  Random random(5, "crowd");
  const double strengths[] = {1.5, 0.7, 0, -0.7, -1.5}, reliability[] = {0.95, 0.8, 0.15};
  std::vector<RatedMatch> matches;
  for (int i = 0; i < 3'000; ++i) {
    const auto a = static_cast<std::int32_t>(random.below(5));
    const auto b = static_cast<std::int32_t>((static_cast<std::uint64_t>(a) + 1 + random.below(4)) % 5);
    const auto rater = static_cast<std::int32_t>(random.below(3));
    const bool a_better = random.uniform() < 1 / (1 + std::exp(strengths[b] - strengths[a]));
    const bool says = random.uniform() < reliability[rater] ? a_better : !a_better;
    matches.push_back({{.a = a, .b = b, .score = says ? 1.0 : 0.0}, rater});
  }
  const CrowdBt model = fit_crowd_bt(matches, 5, 3);
  EXPECT_LT(model.steepness, 1e-3);
  EXPECT_GT(correlation(model.strengths, std::vector<double>(strengths, strengths + 5)), 0.98);
  for (std::size_t r = 0; r < 3; ++r) EXPECT_NEAR(model.reliability[r], reliability[r], 0.07) << r;
}

}  // namespace
}  // namespace attune
