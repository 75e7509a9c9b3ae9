// Several rewards of one answer as one number.
#include "attune/rewards/ensemble.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "attune/base/errors.h"

namespace attune {
namespace {

TEST(Ensemble, CombinesAsItsNamesSay) {
  const std::array<double, 4> rewards{3, -1, 2, 0};  // mean 1, squares about it 4 + 4 + 1 + 1
  EXPECT_DOUBLE_EQ(combine(rewards, Combine::mean), 1);
  EXPECT_DOUBLE_EQ(combine(rewards, Combine::median), 1);  // between 0 and 2
  EXPECT_DOUBLE_EQ(combine(std::array<double, 3>{5, -7, 1}, Combine::median), 1);
  EXPECT_DOUBLE_EQ(combine(rewards, Combine::min), -1);
  EXPECT_DOUBLE_EQ(disagreement(rewards), std::sqrt(2.5));
  EXPECT_DOUBLE_EQ(combine(rewards, Combine::mean_minus_spread, 2), 1 - 2 * std::sqrt(2.5));
}

TEST(Ensemble, OfOneMemberIsThatMember) {
  const std::array<double, 1> one{0.75};
  for (const auto& [name, how] : enum_names(Combine())) EXPECT_DOUBLE_EQ(combine(one, how, 3), 0.75) << name;
  EXPECT_THROW(combine({}, Combine::mean), InternalError);
}

}  // namespace
}  // namespace attune
