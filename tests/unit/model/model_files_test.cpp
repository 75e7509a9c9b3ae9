// What loads, what is refused, and what the one line of the refusal says.
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/tensor/safetensors.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;
using testing::tiny_model;

// The message of the FormatError that `act` throws.
template <class Act>
std::string refusal(const Act& act) {
  try {
    act();
  } catch (const FormatError& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::string config_refusal(const std::string& key, const Json& value, const char* config = testing::tiny_llama) {
  Json changed = Json::parse(config);
  changed.set(key, value);
  return refusal([&] { parse_model_config(changed, "config.json"); });
}

// A saved tiny model whose tensors `change` may edit before it is loaded again.
template <class Change>
std::string load_refusal(const char* config, const Change& change) {
  const TemporaryDirectory directory;
  const LanguageModel model = tiny_model(config, at::kFloat);
  model.save(disk(), directory.path());
  std::vector<NamedTensor> tensors;
  for (const std::string& name : model.parameters().names()) {
    tensors.push_back({name, model.parameters().file_view(name).clone()});
  }
  change(tensors);
  write_safetensors(disk(), directory / "model.safetensors", tensors);
  return refusal([&] { LanguageModel::load(directory.path()); });
}

TEST(ModelConfig, WhatIsNotComputedIsRefusedByKey) {
  EXPECT_THAT(config_refusal("model_type", "bert"), AllOf(HasSubstr("model_type"), HasSubstr("qwen2")));
  EXPECT_THAT(config_refusal("model_type", Json()), HasSubstr("model_type"));
  EXPECT_THAT(config_refusal("hidden_act", "gelu"), HasSubstr("hidden_act"));
  EXPECT_THAT(config_refusal("rope_scaling", Json::object({{"rope_type", "spiral"}, {"factor", 2.0}})),
              AllOf(HasSubstr("rope_scaling.rope_type"), HasSubstr("spiral")));
  EXPECT_THAT(config_refusal("rope_parameters", Json::object({{"rope_type", "dynamic"}})),
              HasSubstr("rope_parameters.factor"));
  EXPECT_THAT(
      config_refusal("rope_parameters", Json::object({{"rope_type", "longrope"}, {"short_factor", Json::array()}})),
      HasSubstr("rope_parameters.short_factor"));
  EXPECT_THAT(config_refusal("rope_scaling", Json::object({{"type", "linear"}})), HasSubstr("rope_scaling.factor"));
  EXPECT_THAT(config_refusal("quantization_config", Json::object({{"bits", 4}})), HasSubstr("quantization_config"));
  EXPECT_THAT(config_refusal("scale_attn_by_inverse_layer_idx", true, testing::tiny_gpt2),
              HasSubstr("scale_attn_by_inverse_layer_idx"));
}

TEST(ModelConfig, SizesThatCannotBeAreRefusedByKey) {
  EXPECT_THAT(config_refusal("num_attention_heads", 5), HasSubstr("num_attention_heads"));
  EXPECT_THAT(config_refusal("num_key_value_heads", 3), HasSubstr("num_key_value_heads"));
  EXPECT_THAT(config_refusal("num_hidden_layers", std::int64_t{1'000'000'000}), HasSubstr("num_hidden_layers"));
  EXPECT_THAT(config_refusal("hidden_size", std::int64_t{1} << 62), HasSubstr("width"));
  EXPECT_THAT(config_refusal("vocab_size", -1), HasSubstr("vocab_size"));
  EXPECT_THAT(config_refusal("vocab_size", "many"), AllOf(HasSubstr("vocab_size"), HasSubstr("a string")));
  EXPECT_THAT(config_refusal("n_embd", std::int64_t{1} << 61, testing::tiny_gpt2), HasSubstr("config.json"));
  EXPECT_THAT(config_refusal("n_head", 0, testing::tiny_gpt2), HasSubstr("n_head"));
  EXPECT_THAT(config_refusal("head_dim", 7), HasSubstr("head_dim"));
}

TEST(ModelConfig, BothSpellingsOfRotaryScalingMeanTheSame) {
  Json older = Json::parse(testing::tiny_llama), newer = older;
  older.set("rope_theta", 500.0);
  older.set("rope_scaling", Json::object({{"type", "linear"}, {"factor", 2.0}}));
  newer.set("rope_parameters", Json::object({{"rope_type", "linear"}, {"factor", 2.0}, {"rope_theta", 500.0}}));
  const auto one = rotary_frequencies(parse_model_config(older, "a").rotary);
  EXPECT_EQ(one, rotary_frequencies(parse_model_config(newer, "b").rotary));
  EXPECT_DOUBLE_EQ(one[0], 0.5);
}

TEST(ModelFiles, TensorsThatDoNotFitAreListedTogether) {
  const std::string message = load_refusal(testing::tiny_llama, [](auto& tensors) {
    std::erase_if(tensors, [](const NamedTensor& tensor) { return tensor.name == "model.norm.weight"; });
    tensors[0].values = at::zeros({3, 4});
    tensors.push_back({"stranger", at::ones({2})});
  });
  EXPECT_THAT(message, AllOf(HasSubstr("model.norm.weight [24] is missing"), HasSubstr("stranger"),
                             HasSubstr("[3, 4] instead of [61, 24]")));
}

TEST(ModelFiles, NoMoreThanTenProblemsAreListed) {
  const std::string message = load_refusal(testing::tiny_llama, [](auto& tensors) { tensors.clear(); });
  EXPECT_THAT(message, HasSubstr("and 20 more"));  // of 3 blocks of 9 tensors, embedding, norm and head
}

TEST(ModelFiles, WeightsThatAreNotFiniteAreRefusedUnlessAllowed) {
  const auto damage = [](auto& tensors) {
    tensors[2].values.view(-1)[1] = std::nan("");
    tensors[2].values.view(-1)[3] = INFINITY;
  };
  EXPECT_THAT(load_refusal(testing::tiny_llama, damage), HasSubstr("q_proj.weight holds 2 values that are not finite"));
  const TemporaryDirectory directory;
  LanguageModel model = tiny_model(testing::tiny_llama, at::kFloat);
  model.parameters().flat()[0] = std::nan("");
  model.save(disk(), directory.path());
  EXPECT_THROW(LanguageModel::load(directory.path()), FormatError);
  EXPECT_NO_THROW(LanguageModel::load(directory.path(), {.allow_nonfinite = true}));
}

TEST(ModelFiles, ATiedHeadIsWrittenOnceAndMustEqualTheEmbeddingWhenAFileHoldsIt) {
  const auto head = [](double change) {
    return [change](auto& tensors) { tensors.push_back({"lm_head.weight", tensors[0].values + change}); };
  };
  EXPECT_EQ(load_refusal(testing::tiny_qwen2, head(0)), "nothing was refused");
  EXPECT_THAT(load_refusal(testing::tiny_qwen2, head(0.5)), HasSubstr("tie_word_embeddings"));
  const TemporaryDirectory directory;
  tiny_model(testing::tiny_qwen2, at::kFloat).save(disk(), directory.path());
  EXPECT_EQ(SafetensorsFolder(directory.path()).find("lm_head.weight"), nullptr);
}

TEST(ModelFiles, PickledWeightsAreRefusedUnopenedWithTheCommandThatConvertsThem) {
  const TemporaryDirectory directory;
  write_durably(disk(), directory / "config.json", testing::tiny_llama);
  EXPECT_THROW(LanguageModel::load(directory.path()), MissingInput);
  write_durably(disk(), directory / "pytorch_model.bin", "not even a pickle");
  EXPECT_THAT(refusal([&] { LanguageModel::load(directory.path()); }),
              AllOf(HasSubstr("pytorch_model.bin"), HasSubstr("save_pretrained")));
}

TEST(ModelFiles, ATokenizerLargerThanTheEmbeddingIsRefused) {
  const LanguageModel model = tiny_model(testing::tiny_llama);
  EXPECT_NO_THROW(require_vocabulary(model.config(), 61, "tokenizer.json"));
  EXPECT_THAT(refusal([&] { require_vocabulary(model.config(), 62, "tokenizer.json"); }),
              AllOf(HasSubstr("tokenizer.json"), HasSubstr("62"), HasSubstr("61")));
}

TEST(ModelFiles, ShardsHalvesAndUnknownKeysSurviveARoundTrip) {
  Json config = Json::parse(testing::tiny_gpt2);
  config.set("a_key_of_tomorrow", Json::object({{"kept", true}}));
  const LanguageModel model = LanguageModel::random(parse_model_config(config, "config.json"), 3);
  const TemporaryDirectory directory;
  model.save(disk(), directory / "shards", {.shard_bytes = 9000});
  EXPECT_TRUE(std::filesystem::exists(directory / "shards" / "model.safetensors.index.json"));
  const LanguageModel again = LanguageModel::load(directory / "shards");
  EXPECT_EQ(again.content_hash(), model.content_hash());
  EXPECT_TRUE(again.config().source.find("a_key_of_tomorrow")->find("kept")->boolean());
  again.save(disk(), directory / "half", {.dtype = at::kBFloat16});
  const LanguageModel half = LanguageModel::load(directory / "half");
  EXPECT_EQ(half.config().source.find("dtype")->string(), "bfloat16");
  const double gap = (half.parameters().flat() - model.parameters().flat()).abs().max().item<double>();
  EXPECT_LT(gap, 0.01);
  EXPECT_GT(gap, 0);
  half.save(disk(), directory / "half again", {.dtype = at::kBFloat16});
  EXPECT_TRUE(read_file(directory / "half" / "model.safetensors") ==
              read_file(directory / "half again" / "model.safetensors"));
}

TEST(ModelFiles, HalfPrecisionWeightsAreReadIntoTheTypeOfTheComputation) {
  const TemporaryDirectory directory;
  const LanguageModel model = tiny_model(testing::tiny_llama, at::kFloat);
  model.save(disk(), directory.path(), {.dtype = at::kHalf});
  const LanguageModel half = LanguageModel::load(directory.path());
  EXPECT_EQ(half.dtype(), at::kFloat);
  EXPECT_EQ(half.config().source.find("dtype")->string(), "float16");
  const Tensor expected = model.parameters().flat().to(at::kHalf).to(at::kFloat);
  EXPECT_TRUE(half.parameters().flat().equal(expected));
}

TEST(ModelFiles, TheFirstGpt2FilesLoadWithoutTheirPrefixAndMaskBuffers) {
  const TemporaryDirectory directory;
  const LanguageModel model = tiny_model(testing::tiny_gpt2, at::kFloat);
  model.save(disk(), directory.path());
  std::vector<NamedTensor> tensors = {{"h.0.attn.bias", at::ones({1, 1, 96, 96})}};
  for (const std::string& name : model.parameters().names()) {
    tensors.push_back({name.substr(std::string("transformer.").size()), model.parameters().file_view(name)});
  }
  write_safetensors(disk(), directory / "model.safetensors", tensors);
  EXPECT_EQ(LanguageModel::load(directory.path()).content_hash(), model.content_hash());
}

TEST(ModelFiles, MadeFromAConfigWeightsHaveItsDeviationAndFollowTheSeed) {
  const LanguageModel model = tiny_model(testing::tiny_llama);
  EXPECT_NEAR(model.parameters().part("model.layers.0.mlp.gate_proj.weight").std().item<double>(), 0.25, 0.03);
  EXPECT_EQ(model.parameters().part("model.norm.weight").min().item<double>(), 1);
  EXPECT_EQ(model.content_hash(), tiny_model(testing::tiny_llama).content_hash());
  EXPECT_NE(model.content_hash(), tiny_model(testing::tiny_llama, at::kDouble, 2).content_hash());
}

TEST(ModelFiles, AFrozenCopyDoesNotMoveWithTheModel) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  const LanguageModel frozen = model.frozen_copy();
  model.parameters().flat().mul_(2);
  EXPECT_NE(frozen.content_hash(), model.content_hash());
  EXPECT_FALSE(frozen.parameters().leaf(0).requires_grad());
}

TEST(LanguageModel, IdsAndPositionsBeyondTheModelAreRefused) {
  const LanguageModel model = tiny_model(testing::tiny_gpt2);
  const std::vector<std::vector<std::int32_t>> wide = {{1, 61}}, negative = {{1, -1}};
  const std::vector<std::vector<std::int32_t>> deep = {std::vector<std::int32_t>(97, 1)};
  EXPECT_THROW(model.score(forest_of_sequences(wide)), DataError);
  EXPECT_THROW(model.score(forest_of_sequences(negative)), DataError);
  EXPECT_THROW(model.score(forest_of_sequences(deep)), DataError);
}

}  // namespace
}  // namespace attune
