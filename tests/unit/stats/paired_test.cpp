// McNemar's test, rank correlation, bootstrap and clustered errors against closed forms.
#include "attune/stats/paired.h"
#include "attune/stats/ranks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "attune/base/random.h"
#include "attune/stats/bootstrap.h"

namespace attune {
namespace {

TEST(McNemar, EqualsTheBinomialTailCountedByHand) {
  EXPECT_DOUBLE_EQ(mcnemar_p(0, 0), 1);
  EXPECT_NEAR(mcnemar_p(3, 3), 1, 1e-12);
  EXPECT_NEAR(mcnemar_p(0, 5), 2.0 / 32, 1e-12);         // 2 * C(5,0) / 2^5
  EXPECT_NEAR(mcnemar_p(8, 2), 2 * 56.0 / 1024, 1e-12);  // 2 * (1 + 10 + 45) / 2^10
  EXPECT_NEAR(mcnemar_p(2, 8), mcnemar_p(8, 2), 1e-15);
  EXPECT_LT(mcnemar_p(3'000, 1'000), 1e-200);  // 2^-4000 is no double
  EXPECT_NEAR(mcnemar_p(50'000, 50'000), 1, 1e-9);
}

TEST(RankCorrelation, SeesOrderAlone) {
  const std::vector<double> x = {1, 2, 3, 4, 5};
  EXPECT_DOUBLE_EQ(rank_correlation(x, std::vector<double>{1, 10, 100, 1e4, 1e9}), 1);
  EXPECT_DOUBLE_EQ(rank_correlation(x, std::vector<double>{5, 4, 3, 2, 1}), -1);
  // 1 - 6 sum d^2 / (n (n^2 - 1)) with d = (1, 1, 1, 1, 0): 1 - 24 / 120
  EXPECT_DOUBLE_EQ(rank_correlation(x, std::vector<double>{2, 1, 4, 3, 5}), 0.8);
}

TEST(RankCorrelation, TiesShareTheirMeanRank) {
  // Ranks of y: 0.5, 0.5, 2; of x: 0, 1, 2. Deviations (-1, 0, 1) and (-0.5, -0.5, 1): 1.5 / sqrt(2 * 1.5).
  EXPECT_DOUBLE_EQ(rank_correlation(std::vector<double>{1, 2, 3}, std::vector<double>{7, 7, 9}), 1.5 / std::sqrt(3.0));
  EXPECT_TRUE(std::isnan(rank_correlation(std::vector<double>{1, 2}, std::vector<double>{4, 4})));
  EXPECT_TRUE(std::isnan(rank_correlation({}, {})));
}

TEST(Bootstrap, TheIntervalOfAMeanIsThatOfTheNormalForManyValues) {
  Random random(5, "values");
  std::vector<double> values;
  for (int i = 0; i < 2'000; ++i) values.push_back(3 + 2 * random.normal());
  const Interval interval = bootstrap_mean(values);
  const double half = 1.96 * 2 / std::sqrt(2'000.0);
  EXPECT_NEAR(interval.high - interval.low, 2 * half, 0.15 * 2 * half);
  EXPECT_LT(interval.low, 3.0);
  EXPECT_GT(interval.high, 3.0);
  EXPECT_EQ(bootstrap_mean(values).low, interval.low);
  EXPECT_NE(bootstrap_mean(values, {.seed = 1}).low, interval.low);
}

TEST(Bootstrap, EqualValuesLeaveNoDoubtAndNoValuesNoAnswer) {
  const Interval interval = bootstrap_mean(std::vector<double>(7, 0.25));
  EXPECT_DOUBLE_EQ(interval.low, 0.25);
  EXPECT_DOUBLE_EQ(interval.high, 0.25);
  EXPECT_TRUE(std::isnan(bootstrap_mean({}).low));
}

TEST(ClusteredMean, IsTheUsualErrorForSinglesAndIgnoresCopies) {
  const std::vector<double> values = {1, 2, 4, 5};
  const MeanEstimate single = clustered_mean(values, std::vector<std::int64_t>{0, 1, 2, 3});
  EXPECT_DOUBLE_EQ(single.mean, 3);
  EXPECT_NEAR(single.standard_error, std::sqrt(10.0 / 3 / 4), 1e-12);  // s^2 = (4 + 1 + 1 + 4) / 3
  // Each value ten times is no more evidence than once.
  std::vector<double> copies;
  std::vector<std::int64_t> cluster;
  for (int i = 0; i < 40; ++i) {
    copies.push_back(values[static_cast<std::size_t>(i % 4)]);
    cluster.push_back(i % 4);
  }
  EXPECT_NEAR(clustered_mean(copies, cluster).standard_error, single.standard_error, 1e-12);
  EXPECT_TRUE(std::isnan(clustered_mean(values, std::vector<std::int64_t>(4, 0)).standard_error));
}

}  // namespace
}  // namespace attune
