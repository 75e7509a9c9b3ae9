#include "attune/tensor/adamw.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attune/tensor/parameters.h"

namespace attune {
namespace {

Parameters two_leaves(at::ScalarType dtype) {
  Parameters parameters(
      {{{3, 5}, {{"matrix", 3, false}}, {.deviation = 1}}, {{4}, {{"bias", 4, false}}, {.constant = 1}}}, dtype);
  parameters.initialize(5);
  return parameters;
}

// torch.optim.AdamW, written out for one number.
struct OneNumber {
  double value, first = 0, second = 0;
  void step(int t, double g, double lr, double decay) {
    value *= 1 - lr * decay;
    first = 0.9 * first + 0.1 * g;
    second = 0.999 * second + 0.001 * g * g;
    const double root = std::sqrt(second) / std::sqrt(1 - std::pow(0.999, t)) + 1e-8;
    value -= lr / (1 - std::pow(0.9, t)) * first / root;
  }
};

TEST(AdamW, FollowsTheFormulaAndDecaysMatricesOnly) {
  for (const auto dtype : {at::kDouble, at::kFloat}) {
    Parameters parameters = two_leaves(dtype);
    parameters.require_gradients(true);
    AdamW optimiser(parameters.flat(), parameters.gradient(), {.weight_decay = 0.1}, parameters.matrix_ranges());
    OneNumber matrix{parameters.part("matrix")[1][2].item<double>()}, bias{1};
    for (int t = 1; t <= 5; ++t) {
      const double g = 0.3 * t - 1;
      parameters.gradient().fill_(g);
      optimiser.step(0.01, 0.5);
      matrix.step(t, g * 0.5, 0.01, 0.1);
      bias.step(t, g * 0.5, 0.01, 0);
    }
    const double tolerance = dtype == at::kDouble ? 1e-14 : 1e-6;
    EXPECT_NEAR(parameters.part("matrix")[1][2].item<double>(), matrix.value, tolerance);
    EXPECT_NEAR(parameters.part("bias")[3].item<double>(), bias.value, tolerance);
    EXPECT_EQ(optimiser.steps(), 5);
  }
}

TEST(AdamW, StateRestoredGoesOnBitForBit) {
  Parameters straight = two_leaves(at::kFloat), stopped = two_leaves(at::kFloat);
  straight.require_gradients(true);
  stopped.require_gradients(true);
  AdamW one(straight.flat(), straight.gradient(), {}, {});
  AdamW two(stopped.flat(), stopped.gradient(), {}, {});
  straight.gradient().fill_(0.25);
  stopped.gradient().fill_(0.25);
  one.step(0.1);
  two.step(0.1);
  AdamW resumed(stopped.flat(), stopped.gradient(), {}, {});
  resumed.first_moment().copy_(two.first_moment());
  resumed.second_moment().copy_(two.second_moment());
  resumed.set_steps(two.steps());
  one.step(0.1);
  resumed.step(0.1);
  EXPECT_EQ(straight.content_hash(), stopped.content_hash());
}

TEST(Gradient, NormIsSummedInDoubleAndClippingScalesAsTorchDoes) {
  Parameters parameters = two_leaves(at::kFloat);
  parameters.require_gradients(true);
  parameters.gradient().fill_(0);
  parameters.leaf(0).grad().fill_(2);  // 15 elements: the norm is sqrt(60)
  const double norm = std::sqrt(squared_norm(parameters.gradient()));
  EXPECT_DOUBLE_EQ(norm, std::sqrt(60.0));
  EXPECT_DOUBLE_EQ(clip_scale(norm, 1), 1 / (norm + 1e-6));
  EXPECT_EQ(clip_scale(0.5, 1), 1);
  EXPECT_EQ(clip_scale(norm, 0), 1);
}

TEST(Gradient, OneNanShowsInTheNormAndIsNotClippedIntoAllOthers) {
  Parameters parameters = two_leaves(at::kFloat);
  parameters.require_gradients(true);
  parameters.gradient()[3] = std::nan("");
  EXPECT_FALSE(std::isfinite(squared_norm(parameters.gradient())));
  EXPECT_THROW(clip_scale(std::nan(""), 1), std::exception);
}

TEST(Parameters, BackwardFillsTheFlatGradient) {
  Parameters parameters = two_leaves(at::kDouble);
  parameters.require_gradients(true);
  (parameters.leaf(0).sum() * 3 + parameters.leaf(1).sum()).backward();
  EXPECT_EQ(parameters.gradient()[0].item<double>(), 3);
  EXPECT_EQ(parameters.gradient()[16].item<double>(), 1);
  EXPECT_EQ(parameters.gradient().sum().item<double>(), 3 * 15 + 4);
}

TEST(Parameters, PartsAreRowsOfTheirLeafAndTransposedWhereFilesAre) {
  Parameters parameters(
      {{{6, 2}, {{"q", 4, false}, {"k", 2, false}}, {.deviation = 1}}, {{3, 2}, {{"conv", 3, true}}, {.deviation = 1}}},
      at::kFloat);
  parameters.initialize(1);
  EXPECT_TRUE(parameters.part("k").equal(parameters.leaf(0).slice(0, 4, 6)));
  EXPECT_EQ(parameters.file_view("conv").sizes(), at::IntArrayRef({2, 3}));
  parameters.part("k").fill_(7);
  EXPECT_EQ(parameters.leaf(0)[5][1].item<float>(), 7);
  EXPECT_EQ(parameters.count(), 18);
}

TEST(Parameters, InitialValuesDependOnNameAndSeedAlone) {
  Parameters one({{{8, 8}, {{"a", 8, false}}, {.deviation = 0.5}}}, at::kDouble);
  Parameters two({{{16, 8}, {{"b", 8, false}, {"a", 8, false}}, {.deviation = 0.5}}}, at::kDouble);
  one.initialize(3);
  two.initialize(3);
  EXPECT_TRUE(one.part("a").equal(two.part("a")));
  EXPECT_FALSE(two.part("b").equal(two.part("a")));
  EXPECT_NEAR(two.flat().std().item<double>(), 0.5, 0.08);
}

}  // namespace
}  // namespace attune
