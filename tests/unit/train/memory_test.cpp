#include "attune/train/memory.h"

#include <gtest/gtest.h>

#include "attune/config/read.h"

namespace attune {
namespace {

// 135 million weights: 30 blocks of 576.
ModelConfig small_llama() {
  ModelConfig config;
  config.layers = 30;
  config.width = 576;
  config.heads = 9;
  config.kv_heads = 3;
  config.head_width = 64;
  config.feed_forward = 1536;
  config.vocabulary = 50257;
  return config;
}

constexpr ParameterCounts counts{.all = 135e6, .trained = 135e6};

double bytes(const std::string& yaml, bool recompute = false, std::int64_t tokens = 2000) {
  RunSettings settings;
  read_config(parse_yaml(yaml, "test"), settings);
  return step_bytes(settings, small_llama(), counts, tokens, recompute);
}

TEST(Memory, GradientsAndMomentsCostWhatTheirPrecisionSays) {
  const double full = bytes("{}"), per_parameter = 135e6;
  EXPECT_DOUBLE_EQ(full - bytes("optimizer: {moments: bfloat16}"), 4 * per_parameter);
  EXPECT_DOUBLE_EQ(full - bytes("optimizer: {moments: int8}"), 6 * per_parameter);
  EXPECT_DOUBLE_EQ(full - bytes("optimizer: {in_backward: true}"), 4 * per_parameter);
}

TEST(Memory, RecomputedBlocksKeepTheResidualStreamAlone) {
  const double kept = bytes("{}"), again = bytes("{}", true);
  const double block = 4 * 576 + 2 * 576 + 2 * 192 + 3 * 1536, stream = 2 * 576;
  EXPECT_DOUBLE_EQ(kept - again, 4.0 * 2000 * (30 * (block - stream) - block));
}

TEST(Memory, BlocksAreComputedAgainOnlyWhereAStepDoesNotFit) {
  RunSettings settings;
  const double kept = step_bytes(settings, small_llama(), counts, 2000, false);
  settings.memory_gib = kept / 0.9 / 1073741824.0 * 1.001;
  EXPECT_FALSE(recompute_blocks(settings, small_llama(), counts, 2000));
  EXPECT_TRUE(recompute_blocks(settings, small_llama(), counts, 2010));
  settings.model.recompute = Recompute::off;
  EXPECT_FALSE(recompute_blocks(settings, small_llama(), counts, 100000));
  settings.model.recompute = Recompute::on;
  EXPECT_TRUE(recompute_blocks(settings, small_llama(), counts, 1));
}

TEST(Memory, OnlyModelsThatStayBesideThePolicyAreCopies) {
  const auto copies = [](const std::string& yaml) {
    RunSettings settings;
    read_config(parse_yaml(yaml, "test"), settings);
    return frozen_copies(settings, needs_of(settings.objective));
  };
  EXPECT_EQ(copies("objective: sft"), 0);
  EXPECT_EQ(copies("objective: dpo"), 0);  // sums, computed beforehand
  EXPECT_EQ(copies("{objective: dpo, reference: {every: 5}}"), 1);
  EXPECT_EQ(copies("{objective: dpo, reference: live}"), 0);
  EXPECT_EQ(copies("objective: tdpo"), 1);  // whole distributions
  EXPECT_EQ(copies("{objective: tdpo, model: {adapter: {}}}"), 0);
  EXPECT_EQ(copies("{objective: tdpo, model: {adapter: {}}, reference: {model: folder}}"), 1);
  EXPECT_EQ(copies("{objective: gkd, model: {adapter: {}}}"), 1);  // the teacher
}

TEST(Memory, ExpertsKeepAsMuchAsATokenVisits) {
  ModelConfig config = small_llama();
  const double plain = step_bytes({}, config, counts, 1000, false);
  config.experts = {.count = 8, .a_token = 2, .width = 1536};
  EXPECT_DOUBLE_EQ(step_bytes({}, config, counts, 1000, false) - plain, 4.0 * 1000 * (30 * 3 + 2) * 1536);
}

}  // namespace
}  // namespace attune
