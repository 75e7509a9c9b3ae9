// A prompt shared by its completions, the same sequences unshared, and dense attention under a mask are one function:
// equal log-probabilities and equal gradients, to float64 rounding.
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "attune/model/forest_attention.h"
#include "attune/tensor/reference.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;
using testing::random_ids;
using testing::tiny_model;

constexpr double rounding = 1e-10;

struct Result {
  Tensor logps;
  Tensor gradient;  // flat
};

// The gradient of a sum with different weights for every read, so that no two can be exchanged unnoticed.
Result run(LanguageModel& model, const TokenForest& forest) {
  model.trainable().require_gradients(true);
  model.trainable().zero_gradients();
  const Tensor logps = model.score(forest).logps;
  const Tensor weights = at::arange(1, logps.size(0) + 1, logps.options()).sin();
  (logps * weights).sum().backward();
  return {logps.detach(), model.trainable().gradient().clone()};
}

void expect_equal(const Result& a, const Result& b, const std::string& what) {
  ASSERT_GT(a.logps.numel(), 0) << what;
  EXPECT_LT(distance(a.logps, b.logps), rounding) << what;
  EXPECT_GT(a.gradient.abs().max().item<double>(), 1e-3) << what;
  EXPECT_LT(distance(a.gradient, b.gradient), rounding * (1 + a.gradient.abs().max().item<double>())) << what;
}

void expect_sharing_changes_nothing(const TokenForest& forest, const std::string& what) {
  for (const char* config : testing::tiny_configs) {
    LanguageModel model = tiny_model(config);
    const std::string name = what + ", " + model.config().family;
    const Result shared = run(model, forest);
    expect_equal(shared, run(model, unshared(forest)), name + ", unshared");
    const UseReferenceOperations reference(true);
    expect_equal(shared, run(model, forest), name + ", dense shared reference");
    expect_equal(shared, run(model, unshared(forest)), name + ", dense unshared reference");
  }
}

TokenForest forest_of_group(std::int64_t prompt, std::initializer_list<std::int64_t> answers) {
  Random random(7, "group", {prompt, static_cast<std::int64_t>(answers.size())});
  ForestBuilder builder;
  const std::int32_t root = builder.add(random_ids(random, prompt));
  std::int32_t response = 0;
  for (const std::int64_t length : answers) {
    const std::int32_t segment = builder.add(random_ids(random, length), root);
    builder.read(segment, 0, length, {.response = response++});
  }
  return builder.build();
}

TEST(Sharing, RaggedPairsInOneStreamEqualSequencesOfTheirOwn) {
  Random random(3, "pairs");
  ForestBuilder builder;
  std::int32_t response = 0;
  for (const auto& [prompt, chosen, rejected] : {std::tuple{9, 4, 13}, {1, 6, 2}, {17, 1, 1}, {3, 12, 11}}) {
    const std::int32_t root = builder.add(random_ids(random, prompt));
    for (const int length : {chosen, rejected}) {
      builder.read(builder.add(random_ids(random, length), root), 0, length, {.response = response++});
    }
  }
  expect_sharing_changes_nothing(builder.build(), "ragged pairs");
}

TEST(Sharing, GroupsOfAnySize) {
  expect_sharing_changes_nothing(forest_of_group(11, {5}), "group of 1");
  expect_sharing_changes_nothing(forest_of_group(8, {3, 9, 1}), "group of 3");
  expect_sharing_changes_nothing(forest_of_group(6, {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}), "group of 16");
}

TEST(Sharing, EmptyPromptsMakeRootsWhoseFirstTokenIsNotRead) {
  const TokenForest forest = forest_of_group(0, {4, 7});
  EXPECT_EQ(forest.segments.size(), 2u);
  EXPECT_EQ(forest.reads.size(), 3u + 6u);
  expect_sharing_changes_nothing(forest, "empty prompt");
}

TEST(Sharing, AnswersOfOneTokenAreReadFromThePromptsLastRow) {
  const TokenForest forest = forest_of_group(5, {1, 1, 1});
  for (const Read& read : forest.reads) EXPECT_EQ(read.row, 4);
  expect_sharing_changes_nothing(forest, "one-token answers");
}

TEST(Sharing, TurnsOfAConversationAreSpansOfOneSegment) {
  Random random(5, "turns");
  ForestBuilder builder;
  const std::int32_t root = builder.add(random_ids(random, 6));
  const std::int32_t segment = builder.add(random_ids(random, 20), root);
  builder.read(segment, 0, 4, {.response = 0, .span = 0});
  builder.read(segment, 9, 13, {.response = 0, .span = 1});
  builder.read(segment, 18, 20, {.response = 0, .span = 2});
  expect_sharing_changes_nothing(builder.build(), "turns");
}

TEST(Sharing, DeepTreesAttendToAllTheirAncestors) {
  Random random(11, "tree");
  ForestBuilder builder;
  const std::int32_t root = builder.add(random_ids(random, 5));
  const std::int32_t left = builder.add(random_ids(random, 4), root), right = builder.add(random_ids(random, 2), root);
  const std::int32_t deep = builder.add(random_ids(random, 3), left);
  std::int32_t response = 0;
  for (const std::int32_t parent : {deep, right, left, deep}) {
    builder.read(builder.add(random_ids(random, 6), parent), 0, 6, {.response = response++});
  }
  builder.read(left, 0, 4, {.response = response});
  expect_sharing_changes_nothing(builder.build(), "deep tree");
}

TEST(Sharing, SegmentsWithAFullMaskSeeAllOfThemselves) {
  Random random(13, "full");
  ForestBuilder builder;
  const std::int32_t root = builder.add(random_ids(random, 7), -1, {.mask = Mask::full});
  builder.read(builder.add(random_ids(random, 5), root), 0, 5, {.response = 0});
  LanguageModel model = tiny_model(testing::tiny_llama);
  const TokenForest forest = builder.build();
  const Result shared = run(model, forest);
  const UseReferenceOperations reference(true);
  expect_equal(shared, run(model, forest), "full mask");
}

TEST(Sharing, AnswersOfAGroupDoNotSeeEachOther) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  TokenForest forest = forest_of_group(6, {4, 5});
  const Tensor before = model.score(forest).logps.slice(0, 4).detach().clone();
  forest.ids[7] = (forest.ids[7] + 1) % 61;  // a token of the first answer
  EXPECT_EQ(distance(before, model.score(forest).logps.slice(0, 4)), 0);
}

TEST(Sharing, GradientsEqualFiniteDifferences) {
  const TokenForest forest = forest_of_group(5, {3, 4});
  for (const char* config : testing::tiny_configs) {
    LanguageModel model = tiny_model(config);
    const Result result = run(model, forest);
    const at::NoGradGuard no_grad;
    Tensor flat = model.parameters().flat();
    Random random(2, "directions");
    for (int direction = 0; direction < 4; ++direction) {
      const Tensor step = at::zeros_like(flat);
      for (std::int64_t i = 0; i < flat.numel(); ++i) step.mutable_data_ptr<double>()[i] = random.normal();
      const double size = 1e-6;
      const auto value = [&](double by) {
        flat.add_(step, by);
        const Tensor logps = model.score(forest).logps;
        flat.add_(step, -by);
        return (logps * at::arange(1, logps.size(0) + 1, logps.options()).sin()).sum().item<double>();
      };
      // Padding between leaves has no gradient and no effect, so the whole flat vector may be stepped along.
      const double expected = (result.gradient * step).sum().item<double>();
      EXPECT_NEAR((value(size) - value(-size)) / (2 * size), expected, 1e-5 * (1 + std::abs(expected))) << config;
    }
  }
}

TEST(Sharing, RecomputedBlocksGiveTheSameGradients) {
  const TokenForest forest = forest_of_group(7, {3, 6});
  for (const char* config : testing::tiny_configs) {
    LanguageModel model = tiny_model(config);
    const Result kept = run(model, forest);
    model.set_compute({.recompute_blocks = true});
    const Result again = run(model, forest);
    EXPECT_TRUE(kept.logps.equal(again.logps));
    EXPECT_LT(distance(kept.gradient, again.gradient), 1e-12);
  }
}

TEST(Sharing, SinglePrecisionAgreesWithDouble) {
  const TokenForest forest = forest_of_group(20, {9, 14});
  for (const char* config : testing::tiny_configs) {
    LanguageModel precise = tiny_model(config), single = tiny_model(config, at::kFloat);
    EXPECT_LT(distance(precise.score(forest).logps, single.score(forest).logps), 1e-4) << config;
    EXPECT_GT(precise.logits(forest).std().item<double>(), 1.0) << config;
  }
}

}  // namespace
}  // namespace attune
