#include "attune/stats/agreement.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attune {
namespace {

TEST(Agreement, WilsonIntervalEqualsAWorkedCase) {
  // 8 of 10, z = 1.96: centre = (0.8 + 0.19208) / 1.38416 = 0.71674,
  // half = 1.96 / 1.38416 * sqrt(0.016 + 0.009604) = 0.22658.
  const Interval interval = wilson_interval(8, 10, 1.96);
  EXPECT_NEAR(interval.low, 0.49016, 1e-5);
  EXPECT_NEAR(interval.high, 0.94332, 1e-5);
}

TEST(Agreement, WilsonIntervalStaysInsideZeroAndOne) {
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
  EXPECT_NEAR(wilson_interval(0, 20).low, 0, 1e-12);
  EXPECT_GT(wilson_interval(0, 20).high, 0.1);
  EXPECT_NEAR(wilson_interval(20, 20).high, 1, 1e-12);
}

TEST(Agreement, AMeanHasStudentsInterval) {
  // 0, 1, ..., 30: mean 15, s^2 = 31 * 32 / 12 = 82.6667, standard error sqrt(82.6667 / 31) = 1.632993, and the 0.975
  // quantile of t with 30 degrees of freedom is 2.042272.
  std::vector<double> values;
  for (int i = 0; i <= 30; ++i) values.push_back(i);
  const Mean mean = mean_of(values);
  EXPECT_DOUBLE_EQ(mean.value, 15);
  EXPECT_NEAR(mean.interval.high - mean.value, 2.042272 * 1.632993, 5e-4);
  EXPECT_NEAR(mean.value - mean.interval.low, 2.042272 * 1.632993, 5e-4);
  EXPECT_EQ(mean_of(std::vector<double>{3}).interval.high, INFINITY);
}

TEST(Agreement, PairsOfOneRaterAreNotCounted) {
  // Unit 0: raters 1, 2, 3 say 1, 1, 0: one of three pairs agrees. Unit 1: one rater twice, no pair.
  const std::vector<Vote> votes = {{0, 1, 1}, {0, 2, 1}, {0, 3, 0}, {1, 1, 1}, {1, 1, 1}};
  const Share share = pairwise_agreement(votes);
  EXPECT_EQ(share.successes, 1);
  EXPECT_EQ(share.trials, 3);
}

// Krippendorff 2011, section C: four observers, twelve units, missing values left out.
const std::vector<std::vector<double>> four_observers = {{1, 1, 1},    {2, 2, 3, 2}, {3, 3, 3, 3}, {3, 3, 3, 3},
                                                         {2, 2, 2, 2}, {1, 2, 3, 4}, {4, 4, 4, 4}, {1, 1, 2, 1},
                                                         {2, 2, 2, 2}, {5, 5, 5},    {1, 1},       {3}};

TEST(Agreement, AlphaEqualsThePublishedValues) {
  EXPECT_NEAR(krippendorff_alpha(four_observers, Metric::nominal), 0.743, 5e-4);
  EXPECT_NEAR(krippendorff_alpha(four_observers, Metric::interval), 0.849, 5e-4);
}

TEST(Agreement, AlphaOfTwoUnitsWorkedByHand) {
  // Units {0, 0} and {0, 1}: n = 4, n_0 = 3, n_1 = 1. Do = (1 * 2 / 1) / 4 = 0.5, De = 2 * 3 * 1 / (4 * 3) = 0.5.
  EXPECT_DOUBLE_EQ(krippendorff_alpha(std::vector<std::vector<double>>{{0, 0}, {0, 1}}, Metric::nominal), 0);
  EXPECT_TRUE(std::isnan(krippendorff_alpha(std::vector<std::vector<double>>{{1, 1}, {1}}, Metric::nominal)));
}

TEST(Agreement, EntropyIsInBits) {
  EXPECT_DOUBLE_EQ(entropy_bits(std::vector<double>{2, 2}), 1);
  EXPECT_DOUBLE_EQ(entropy_bits(std::vector<double>{3, 0}), 0);
  EXPECT_DOUBLE_EQ(entropy_bits(std::vector<double>{1, 1, 1, 1}), 2);
}

}  // namespace
}  // namespace attune
