#include "attune/tensor/adamw.h"

#include <ATen/ops/full_like.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "attune/base/errors.h"
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
    AdamW optimiser(parameters.flat(), {.weight_decay = 0.1}, parameters.matrix_ranges());
    OneNumber matrix{parameters.part("matrix")[1][2].item<double>()}, bias{1};
    for (int t = 1; t <= 5; ++t) {
      const double g = 0.3 * t - 1;
      parameters.gradient().fill_(g);
      optimiser.begin(0.01);
      optimiser.update(0, parameters.gradient(), 0.5);
      matrix.step(t, g * 0.5, 0.01, 0.1);
      bias.step(t, g * 0.5, 0.01, 0);
    }
    const double tolerance = dtype == at::kDouble ? 1e-14 : 1e-6;
    EXPECT_NEAR(parameters.part("matrix")[1][2].item<double>(), matrix.value, tolerance);
    EXPECT_NEAR(parameters.part("bias")[3].item<double>(), bias.value, tolerance);
    EXPECT_EQ(optimiser.steps(), 5);
  }
}

TEST(AdamW, ALeafMayLearnAtARateOfItsOwn) {
  Parameters parameters = two_leaves(at::kDouble);
  AdamW optimiser(parameters.flat(), {.weight_decay = 0.1}, parameters.matrix_ranges());
  optimiser.set_rate(0, 15, 3);
  OneNumber matrix{parameters.part("matrix")[0][4].item<double>()}, bias{1};
  for (int t = 1; t <= 3; ++t) {
    optimiser.begin(0.01);
    optimiser.update(0, at::full_like(parameters.flat(), 0.7 - t));
    matrix.step(t, 0.7 - t, 0.03, 0.1);
    bias.step(t, 0.7 - t, 0.01, 0);
  }
  EXPECT_NEAR(parameters.part("matrix")[0][4].item<double>(), matrix.value, 1e-14);
  EXPECT_NEAR(parameters.part("bias")[0].item<double>(), bias.value, 1e-14);
  EXPECT_THROW(optimiser.set_rate(0, 5, 2), Error);
}

TEST(AdamW, StateRestoredGoesOnBitForBit) {
  Parameters straight = two_leaves(at::kFloat), stopped = two_leaves(at::kFloat);
  const Tensor gradient = at::full_like(straight.flat(), 0.25);
  const auto step = [&](AdamW& optimizer) {
    optimizer.begin(0.1);
    optimizer.update(0, gradient);
  };
  AdamW one(straight.flat(), {}, straight.matrix_ranges()), two(stopped.flat(), {}, stopped.matrix_ranges());
  step(one);
  step(two);
  AdamW resumed(stopped.flat(), {}, stopped.matrix_ranges());
  const auto from = two.state(), to = resumed.state();
  for (std::size_t i = 0; i < from.size(); ++i) to[i].values.copy_(from[i].values);
  resumed.set_steps(two.steps());
  step(one);
  step(resumed);
  EXPECT_EQ(straight.content_hash(), stopped.content_hash());
}

TEST(AdamW, LeafByLeafInAnyOrderIsTheSameStep) {
  for (const auto moments : {MomentPrecision::full, MomentPrecision::bfloat16, MomentPrecision::int8}) {
    Parameters whole = two_leaves(at::kFloat), pieces = two_leaves(at::kFloat);
    AdamW one(whole.flat(), {.weight_decay = 0.1, .moments = moments}, whole.matrix_ranges());
    AdamW two(pieces.flat(), {.weight_decay = 0.1, .moments = moments}, pieces.matrix_ranges());
    const Tensor gradient = whole.flat().clone();
    for (int step = 0; step < 3; ++step) {
      one.begin(0.1);
      one.update(0, gradient);
      two.begin(0.1);
      two.update(16, gradient.narrow(0, 16, 4));
      two.update(0, gradient.narrow(0, 0, 15));
    }
    EXPECT_EQ(whole.content_hash(), pieces.content_hash());
  }
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

TEST(Parameters, GradientsAreHandedOutOnceEachAndFreed) {
  Parameters parameters = two_leaves(at::kDouble);
  std::map<std::int64_t, double> sums;
  parameters.hand_out_gradients([&](std::int64_t begin, const Tensor& gradient) {
    EXPECT_TRUE(sums.emplace(begin, gradient.sum().item<double>()).second);
  });
  const Tensor& used_twice = parameters.leaf(0);
  (used_twice.sum() * 3 + (used_twice * 2).sum() + parameters.leaf(1).sum()).backward();
  EXPECT_EQ(sums, (std::map<std::int64_t, double>{{0, 5 * 15}, {16, 4}}));
  EXPECT_FALSE(used_twice.grad().defined());
  EXPECT_FALSE(parameters.gradient().defined());
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
