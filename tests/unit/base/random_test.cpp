#include "attune/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace attune {
namespace {

TEST(Random, EqualNamesGiveEqualStreamsAndOtherNamesOtherOnes) {
  Random a(7, "rollout", {3}), b(7, "rollout", {3}), c(7, "rollout", {4}), d(8, "rollout", {3});
  const std::uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
  EXPECT_NE(first, d.next());
}

TEST(Random, SeekingToAPositionContinuesTheStream) {
  Random a(1, "x");
  for (int i = 0; i < 5; ++i) a.next();
  Random b(1, "x");
  b.seek(a.position());
  EXPECT_EQ(a.next(), b.next());
}

TEST(Random, UniformHasTheRightMeanAndVariance) {
  Random random(0, "moments");
  double sum = 0, squares = 0;
  constexpr int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  // Standard errors: mean 1/sqrt(12 n) = 6.5e-4, second moment sqrt(4/45/n) = 6.7e-4; five of them.
  EXPECT_NEAR(sum / n, 0.5, 3.3e-3);
  EXPECT_NEAR(squares / n, 1.0 / 3, 3.4e-3);
}

TEST(Random, NormalQuantileEqualsKnownValues) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-12);
  EXPECT_DOUBLE_EQ(normal_quantile(0.5), 0);
}

TEST(Random, PermutationHoldsEveryIndexOnce) {
  auto order = Random(0, "order").permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

}  // namespace
}  // namespace attune
