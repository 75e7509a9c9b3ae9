#include "attune/generate/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "attune/base/random.h"

namespace attune {
namespace {

// Probabilities 0.1, 0.4, 0.2, 0.3 at temperature 1.
const std::vector<float> logits{std::log(0.1f), std::log(0.4f), std::log(0.2f), std::log(0.3f)};

std::map<int, double> shares(const SamplingOptions& options) {
  std::map<int, double> counts;
  constexpr int draws = 1000;
  for (int i = 0; i < draws; ++i) counts[sample(logits, options, (i + 0.5) / draws).id] += 1.0 / draws;
  return counts;
}

void expect_shares(const SamplingOptions& options, const std::map<int, double>& expected) {
  const auto found = shares(options);
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [id, share] : expected) EXPECT_NEAR(found.at(id), share, 2e-3) << id;
}

TEST(Sampler, GreedyTakesTheMostLikelyAndTheLowestOfEquals) {
  EXPECT_EQ(sample(logits, {.temperature = 0}, 0.99).id, 1);
  EXPECT_EQ(sample(std::vector<float>{1, 3, 3}, {.temperature = 0}, 0.5).id, 1);
}

TEST(Sampler, UnfilteredDrawsFollowTheDistribution) { expect_shares({}, {{0, 0.1}, {1, 0.4}, {2, 0.2}, {3, 0.3}}); }

TEST(Sampler, TemperatureHalfSquaresTheProbabilities) {
  expect_shares({.temperature = 0.5}, {{0, 0.01 / 0.3}, {1, 0.16 / 0.3}, {2, 0.04 / 0.3}, {3, 0.09 / 0.3}});
}

TEST(Sampler, TopKKeepsTheMostLikely) { expect_shares({.top_k = 2}, {{1, 4.0 / 7}, {3, 3.0 / 7}}); }

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesIt) {
  expect_shares({.top_p = 0.69}, {{1, 4.0 / 7}, {3, 3.0 / 7}});
  expect_shares({.top_p = 0.71}, {{1, 4.0 / 9}, {2, 2.0 / 9}, {3, 3.0 / 9}});
  expect_shares({.top_p = 0.01}, {{1, 1.0}});
}

TEST(Sampler, MinPIsAShareOfTheMostLikelyAndComesLast) {
  expect_shares({.min_p = 0.6}, {{1, 4.0 / 7}, {3, 3.0 / 7}});
  // top-p sees the mass that min-p removes later: 0.4 + 0.3 = 0.7 of everything.
  expect_shares({.top_p = 0.75, .min_p = 0.6}, {{1, 4.0 / 7}, {3, 3.0 / 7}});
}

TEST(Sampler, ReportsTheModelsOwnLogProbabilityWhateverIsFiltered) {
  EXPECT_NEAR(sample(logits, {.temperature = 0.1, .top_k = 1}, 0.5).logp, std::log(0.4), 1e-7);
}

TEST(Sampler, ExtremeLogitsAndUniformsAreSafe) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(sample(std::vector<float>{-inf, 1e30f, -1e30f}, {}, 0.999999999).id, 1);
  EXPECT_EQ(sample(std::vector<float>{-inf, 0, 0}, {}, std::nextafter(1.0, 0.0)).id, 2);
  EXPECT_EQ(sample(std::vector<float>{0, 0, 0}, {}, 0.0).id, 0);
}

}  // namespace
}  // namespace attune
