#include <ATen/ops/arange.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "attune/tensor/reference.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;
using ::testing::HasSubstr;
using testing::random_ids;
using testing::TemporaryDirectory;
using testing::tiny_model;

// A pair under one prompt; the second answer's adapter is off.
TokenForest mixed_pair() {
  Random random(4, "mixed");
  ForestBuilder builder;
  const std::int32_t root = builder.add(random_ids(random, 1), -1, {.adapter = -1});
  const auto answer = random_ids(random, 6);
  builder.read(builder.add(answer, root, {.adapter = 0}), 0, 6, {.response = 0});
  builder.read(builder.add(answer, root, {.adapter = -1}), 0, 6, {.response = 1});
  return builder.build();
}

LanguageModel adapted_model(const char* config, bool rank_stabilized = false) {
  LanguageModel model = tiny_model(config);
  model.attach_adapter({.rank = 3, .alpha = 6, .targets = {"all-linear"}, .rank_stabilized = rank_stabilized}, 9);
  Random random(5, "factors");
  const Tensor flat = model.adapter()->parameters().flat();
  for (std::int64_t i = 0; i < flat.numel(); ++i) flat.mutable_data_ptr<double>()[i] = 0.3 * random.normal();
  return model;
}

std::string config_refusal(const std::string& key, const Json& value) {
  const TemporaryDirectory directory;
  adapted_model(testing::tiny_llama).save_adapter(disk(), directory.path(), "base");
  Json config = Json::parse(read_file(directory / "adapter_config.json"));
  config.set(key, value);
  write_durably(disk(), directory / "adapter_config.json", config.str());
  LanguageModel model = tiny_model(testing::tiny_llama);
  try {
    model.load_adapter(directory.path());
  } catch (const FormatError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Adapter, AFreshOneChangesNothingAndFreezesTheModel) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  const Tensor before = model.score(mixed_pair()).logps;
  model.attach_adapter({.rank = 4}, 1);
  EXPECT_LT(distance(before, model.score(mixed_pair()).logps), 1e-12);
  EXPECT_EQ(model.trainable().count(), 3 * 4 * (24 + 24 + 24 + 12));  // q_proj and v_proj of three blocks
  model.score(mixed_pair()).logps.sum().backward();
  EXPECT_FALSE(model.parameters().gradient().defined());
  EXPECT_GT(model.trainable().gradient().abs().max().item<double>(), 0);
}

TEST(Adapter, IsOnPerSegmentAndOffIsTheModelWithoutIt) {
  for (const char* config : testing::tiny_configs) {
    LanguageModel model = adapted_model(config);
    const LanguageModel plain = tiny_model(config);
    const TokenForest forest = mixed_pair();
    const Tensor logps = model.score(forest).logps, without = plain.score(forest).logps;
    EXPECT_LT(distance(logps.slice(0, 6), without.slice(0, 6)), 1e-12) << config;
    EXPECT_GT(distance(logps.slice(0, 1, 6), without.slice(0, 1, 6)), 0.01) << config;
    const UseReferenceOperations reference(true);
    EXPECT_LT(distance(logps, model.score(forest).logps), 1e-10) << config;
  }
}

TEST(Adapter, GradientsEqualTheReferenceAndFiniteDifferences) {
  for (const char* config : testing::tiny_configs) {
    LanguageModel model = adapted_model(config, true);
    const TokenForest forest = mixed_pair();
    const Tensor factors = at::arange(1, 13, at::TensorOptions(at::kDouble)).sin();
    const auto gradient = [&] {
      model.trainable().zero_gradients();
      (model.score(forest).logps * factors).sum().backward();
      return model.trainable().gradient().clone();
    };
    const Tensor ours = gradient();
    model.set_compute({.recompute_blocks = true});
    EXPECT_LT(distance(ours, gradient()), 1e-12) << config;
    model.set_compute({});
    {
      const UseReferenceOperations reference(true);
      EXPECT_LT(distance(ours, gradient()), 1e-10) << config;
    }
    const at::NoGradGuard no_grad;
    Tensor flat = model.trainable().flat();
    const Tensor step = at::arange(1, flat.numel() + 1, flat.options()).cos();
    const auto value = [&](double by) {
      flat.add_(step, by);
      const double result = (model.score(forest).logps * factors).sum().item<double>();
      flat.add_(step, -by);
      return result;
    };
    const double expected = (ours * step).sum().item<double>();
    EXPECT_NEAR((value(1e-6) - value(-1e-6)) / 2e-6, expected, 1e-5 * (1 + std::abs(expected))) << config;
  }
}

TEST(Adapter, MergedEqualsUnmergedAndMergingTwiceIsRefused) {
  for (const char* config : testing::tiny_configs) {
    LanguageModel model = adapted_model(config);
    Random random(8, "plain");
    const std::vector<std::vector<std::int32_t>> sequences = {random_ids(random, 12)};
    const TokenForest forest = forest_of_sequences(sequences);
    const Tensor before = model.score(forest).logps, off = model.score(without_adapter(forest)).logps;
    model.merge_adapter();
    EXPECT_LT(distance(before, model.score(forest).logps), 1e-10);
    EXPECT_THROW(model.merge_adapter(), UsageError);
    EXPECT_THROW(model.detach_adapter(), Error);
    model.unmerge_adapter();
    EXPECT_THROW(model.unmerge_adapter(), UsageError);
    EXPECT_LT(distance(off, model.score(without_adapter(forest)).logps), 1e-10);
    model.detach_adapter();
    EXPECT_LT(distance(off, model.score(forest).logps), 1e-10);
  }
}

TEST(Adapter, SavedAndLoadedItIsTheSame) {
  const TemporaryDirectory directory;
  const LanguageModel model = adapted_model(testing::tiny_gpt2, true);
  model.save_adapter(disk(), directory.path(), "some/base");
  LanguageModel again = tiny_model(testing::tiny_gpt2);
  again.load_adapter(directory.path());
  EXPECT_LT(distance(again.score(mixed_pair()).logps, model.score(mixed_pair()).logps), 1e-5);  // float32 files
  const Json config = Json::parse(read_file(directory / "adapter_config.json"));
  EXPECT_EQ(config.find("base_model_name_or_path")->string(), "some/base");
  EXPECT_TRUE(config.find("fan_in_fan_out")->boolean());
}

TEST(Adapter, OptionsThatCannotBeAreRefused) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  EXPECT_THROW(model.attach_adapter({.rank = 0}, 1), ConfigError);
  EXPECT_THROW(model.attach_adapter({.dropout = 0.1}, 1), ConfigError);
  EXPECT_THROW(model.attach_adapter({.targets = {"q_proj", "c_attn"}}, 1), ConfigError);
}

TEST(Adapter, WhatPeftCanAndThisCannotIsRefusedByKey) {
  EXPECT_EQ(config_refusal("a_key_of_tomorrow", 1), "nothing was refused");
  EXPECT_THAT(config_refusal("use_dora", true), HasSubstr("lora_magnitude_vector"));
  EXPECT_THAT(config_refusal("init_lora_weights", "olora"), HasSubstr("init_lora_weights"));
  EXPECT_THAT(config_refusal("init_lora_weights", "pissa_niter_4"), HasSubstr("init_lora_weights"));
  EXPECT_THAT(config_refusal("bias", "all"), HasSubstr("bias"));
  EXPECT_THAT(config_refusal("r", 0), HasSubstr("r"));
  EXPECT_THAT(config_refusal("peft_type", "IA3"), HasSubstr("peft_type"));
  EXPECT_THAT(config_refusal("rank_pattern", Json::object({{"q_proj", 2}})), HasSubstr("rank_pattern"));
  EXPECT_THAT(config_refusal("r", 5), HasSubstr("lora_A"));
}

TEST(Adapter, OneForAnotherModelIsRefused) {
  const TemporaryDirectory directory;
  adapted_model(testing::tiny_gpt2).save_adapter(disk(), directory.path(), "base");
  LanguageModel other = tiny_model(testing::tiny_llama);
  EXPECT_THROW(other.load_adapter(directory.path()), FormatError);
  LanguageModel moved = tiny_model(testing::tiny_gpt2, at::kDouble, 2);
  EXPECT_THROW(moved.load_adapter(directory.path()), FormatError);
}

}  // namespace
}  // namespace attune
