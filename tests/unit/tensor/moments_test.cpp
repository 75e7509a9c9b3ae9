#include "attune/tensor/moments.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full_like.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "attune/base/random.h"
#include "attune/tensor/adamw.h"
#include "attune/tensor/parameters.h"

namespace attune {
namespace {

constexpr std::int64_t block = CompressedMoments::block;

double nearest_level(double value, const std::vector<float>& levels) {
  double best = levels.front();
  for (const float level : levels) {
    if (std::abs(level - value) < std::abs(best - value)) best = level;
  }
  return best;
}

TEST(Moments, LevelsOfInt8AreSevenDecadesEachTwiceAsFineAsTheOneBelow) {
  const std::vector<float> with_sign = dynamic_levels(1), without = dynamic_levels(2);
  ASSERT_EQ(with_sign.size(), 129U);  // 128 below 0 would be one code too many: -1 is left out
  ASSERT_EQ(without.size(), 256U);
  EXPECT_TRUE(std::ranges::is_sorted(with_sign));
  EXPECT_FLOAT_EQ(with_sign[1], 5.5e-7F);
  EXPECT_FLOAT_EQ(with_sign[127], 0.1F + 0.9F * 63.5F / 64);
  EXPECT_FLOAT_EQ(without[1], 3.25e-7F);
  EXPECT_FLOAT_EQ(without[254], 0.1F + 0.9F * 127.5F / 128);
  EXPECT_EQ(with_sign.back(), 1);
  EXPECT_EQ(without.back(), 1);
}

TEST(Moments, Int8StoresTheNearestLevelOfEveryBlock) {
  constexpr std::int64_t blocks = 40;
  CompressedMoments moments(MomentPrecision::int8, blocks * block, blocks);
  const std::vector<float> with_sign = dynamic_levels(1), without = dynamic_levels(2);
  Random random(1, "moments");
  for (std::int64_t i = 0; i < blocks; ++i) {
    CompressedMoments::Values values, back;
    float largest = 0, largest_root = 0;
    for (std::size_t j = 0; j < block; ++j) {
      values.first[j] = static_cast<float>(random.normal() * std::pow(10, -8 * random.uniform()));
      values.second[j] = static_cast<float>(std::pow(10, -16 * random.uniform()));
      largest = std::max(largest, std::abs(values.first[j]));
      largest_root = std::max(largest_root, std::sqrt(values.second[j]));
    }
    const CompressedMoments::Block at{i * block, i, block};
    moments.store(at, values, 1);
    moments.load(at, back);
    for (std::size_t j = 0; j < block; ++j) {
      const double value = values.first[j] / double(largest), root = std::sqrt(double(values.second[j])) / largest_root;
      double level = nearest_level(std::abs(value), with_sign);
      if (value < 0 && level == 1) level = with_sign[127];
      EXPECT_NEAR(std::abs(back.first[j] / double(largest)), level, 1e-6 * level);
      EXPECT_TRUE(level == 0 || std::signbit(back.first[j]) == std::signbit(values.first[j]));
      EXPECT_NEAR(std::sqrt(double(back.second[j])) / largest_root, nearest_level(root, without), 1e-6);
    }
  }
}

TEST(Moments, BlocksOfZerosAndShortBlocksComeBack) {
  for (const auto precision : {MomentPrecision::int8, MomentPrecision::bfloat16}) {
    CompressedMoments moments(precision, block + 3, 2);
    CompressedMoments::Values values, back;
    back.first.fill(9);
    moments.load({0, 0, block}, back);
    EXPECT_EQ(back.first[7], 0);
    moments.store({0, 0, block}, values, 1);
    values.first = {-2, 0, 1};
    values.second = {4, 0, 1};
    moments.store({block, 1, 3}, values, 1);
    moments.load({block, 1, 3}, back);
    EXPECT_NEAR(back.first[0], -2, 0.02);
    EXPECT_EQ(back.second[0], 4);
    EXPECT_EQ(back.first[1], 0);
    moments.load({0, 0, block}, back);
    EXPECT_EQ(back.second[255], 0);
  }
}

TEST(Moments, Bfloat16RoundsAtRandomWithTheRightMean) {
  CompressedMoments moments(MomentPrecision::bfloat16, block, 1);
  CompressedMoments::Values values, back;
  values.first.fill(1.0F + 1.0F / 512);  // a quarter of the way from 1 to the next value, 1 + 1/128
  values.second.fill(3e-9F);
  double first = 0, second = 0;
  constexpr int draws = 400;
  for (int step = 0; step < draws; ++step) {
    moments.store({0, 0, block}, values, step);
    moments.load({0, 0, block}, back);
    for (std::size_t i = 0; i < block; ++i) {
      EXPECT_TRUE(back.first[i] == 1.0F || back.first[i] == 1.0F + 1.0F / 128);
      first += back.first[i];
      second += back.second[i];
    }
  }
  constexpr double n = draws * block;
  EXPECT_NEAR(first / n, 1.0 + 1.0 / 512, 5 * 0.0034 / std::sqrt(n));
  EXPECT_NEAR(second / n / 3e-9, 1, 5 * 0.004 / std::sqrt(n));
  CompressedMoments::Values again;
  moments.store({0, 0, block}, values, draws - 1);
  moments.load({0, 0, block}, again);
  EXPECT_EQ(again.first, back.first) << "rounding depends on more than element and step";
}

Parameters one_matrix() {
  return {{{{64, block}, {{"matrix", 64, false}}, {}}, {{8}, {{"norm", 8, false}}, {}}}, at::kFloat};
}

struct Path {
  Tensor update, position;  // the last one; where all of them led
};

// Gradients whose spread differs from element to element and from block to block, with a drift.
Path walk(MomentPrecision precision) {
  Parameters parameters = one_matrix();
  AdamW optimizer(parameters.flat(), {.moments = precision}, parameters.matrix_ranges());
  Random random(7, "walk");
  const std::int64_t count = parameters.flat().numel();
  const Tensor spread = at::empty({count}, at::kFloat), gradient = at::empty({count}, at::kFloat);
  float *scale = spread.mutable_data_ptr<float>(), *g = gradient.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < count; ++i) scale[i] = static_cast<float>(std::exp(random.normal()));
  Path path;
  for (int step = 0; step < 300; ++step) {
    for (std::int64_t i = 0; i < count; ++i) g[i] = scale[i] * static_cast<float>(random.normal() + 0.1);
    const Tensor before = parameters.flat().clone();
    optimizer.begin(1e-3);
    optimizer.update(0, gradient);
    path.update = parameters.flat() - before;
  }
  path.position = parameters.flat().clone();
  return path;
}

TEST(Moments, ErrorOfAnUpdateStaysBelowWhatTheHeaderSays) {
  const Path full = walk(MomentPrecision::full);
  const auto error = [&](const Tensor& ours, const Tensor& exact) {
    return ((ours - exact).norm() / exact.norm()).item<double>();
  };
  const Path bfloat16 = walk(MomentPrecision::bfloat16), int8 = walk(MomentPrecision::int8);
  const double small = error(bfloat16.update, full.update), large = error(int8.update, full.update);
  EXPECT_GT(small, 1e-4);
  EXPECT_LT(small, 0.02);
  EXPECT_GT(large, small);
  EXPECT_LT(large, 0.15);
  EXPECT_LT(error(bfloat16.position, full.position), 0.02);
  EXPECT_LT(error(int8.position, full.position), 0.10);
  RecordProperty("update_error_bfloat16", std::to_string(small));
  RecordProperty("update_error_int8", std::to_string(large));
}

// One large gradient, then small ones: the second moment must fall as it does in full precision.
TEST(Moments, SecondMomentForgets) {
  for (const auto precision : {MomentPrecision::bfloat16, MomentPrecision::int8}) {
    Parameters exact = one_matrix(), compressed = one_matrix();
    AdamW one(exact.flat(), {}, exact.matrix_ranges());
    AdamW two(compressed.flat(), {.moments = precision}, compressed.matrix_ranges());
    for (int step = 0; step < 1500; ++step) {
      const Tensor gradient = at::full_like(exact.flat(), step < 5 ? 10.0 : 0.01);
      for (AdamW* each : {&one, &two}) {
        each->begin(1e-3);
        each->update(0, gradient);
      }
    }
    const double ratio = (compressed.part("matrix").mean() / exact.part("matrix").mean()).item<double>();
    EXPECT_NEAR(ratio, 1, 0.02);
  }
}

TEST(Moments, RestoredStateGoesOnBitForBit) {
  for (const auto precision : {MomentPrecision::bfloat16, MomentPrecision::int8}) {
    Parameters straight = one_matrix(), stopped = one_matrix();
    const AdamWOptions options{.weight_decay = 0.1, .moments = precision};
    AdamW one(straight.flat(), options, straight.matrix_ranges());
    AdamW two(stopped.flat(), options, stopped.matrix_ranges());
    Random random(3, "restored");
    const auto gradient = [&](std::uint64_t at) {
      random.seek(at);
      const Tensor drawn = at::empty_like(straight.flat());
      for (std::int64_t i = 0; i < drawn.numel(); ++i) drawn.mutable_data_ptr<float>()[i] = float(random.normal());
      return drawn;
    };
    for (AdamW* each : {&one, &two}) {
      each->begin(0.1);
      each->update(0, gradient(0));
    }
    AdamW resumed(stopped.flat(), options, stopped.matrix_ranges());
    const auto from = two.state(), to = resumed.state();
    ASSERT_EQ(from.size(), precision == MomentPrecision::int8 ? 6U : 4U);
    for (std::size_t i = 0; i < from.size(); ++i) to[i].values.copy_(from[i].values);
    resumed.set_steps(two.steps());
    for (AdamW* each : {&one, &resumed}) {
      each->begin(0.1);
      each->update(0, gradient(1 << 20));
    }
    EXPECT_EQ(straight.content_hash(), stopped.content_hash());
  }
}

}  // namespace
}  // namespace attune
