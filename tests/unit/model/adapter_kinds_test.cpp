// Adapters beyond plain factors: magnitudes (DoRA), modules saved whole, principal starts (PiSSA), several as one.
#include <ATen/ops/arange.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "attune/base/errors.h"
#include "attune/model/decoder.h"
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

constexpr const char* tiny_phi = R"({"model_type": "phi", "vocab_size": 61, "hidden_size": 24,
  "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 40, "partial_rotary_factor": 0.5,
  "initializer_range": 0.25, "tie_word_embeddings": false})";

AdapterOptions options_of(AdapterOptions options) {
  options.rank = 3;
  options.alpha = 6;
  options.targets = {"all-linear"};
  return options;
}

void disturb(Parameters& parameters) {
  Random random(5, "disturbed");
  const Tensor flat = parameters.flat();
  for (std::int64_t i = 0; i < flat.numel(); ++i) flat.mutable_data_ptr<double>()[i] += 0.2 * random.normal();
}

LanguageModel adapted_model(const char* config, const AdapterOptions& options) {
  LanguageModel model = tiny_model(config);
  model.attach_adapter(options_of(options), 9);
  disturb(model.adapter()->parameters());
  return model;
}

TokenForest one_sequence() {
  Random random(8, "sequence");
  const std::vector<std::vector<std::int32_t>> sequences = {random_ids(random, 12)};
  return forest_of_sequences(sequences);
}

struct Kind {
  const char* name;
  const char* config;
  AdapterOptions options;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

const Kind kinds[] = {
    {"DoraOnLlama", testing::tiny_llama, {.magnitudes = true}},
    {"DoraOnGpt2", testing::tiny_gpt2, {.rank_stabilized = true, .magnitudes = true}},
    {"SavedOnLlama", testing::tiny_llama, {.saved = {"lm_head", "embed_tokens"}}},
    {"SavedWithABias", tiny_phi, {.saved = {"lm_head"}}},
    {"DoraAndSaved", testing::tiny_mistral, {.saved = {"embed_tokens"}, .magnitudes = true}},
    {"Pissa", testing::tiny_llama, {.start = AdapterStart::principal}},
    {"PissaRankStabilized", testing::tiny_gpt2, {.rank_stabilized = true, .start = AdapterStart::principal}},
};

class AdapterKinds : public ::testing::TestWithParam<Kind> {};

TEST_P(AdapterKinds, FreshChangesNothing) {
  LanguageModel model = tiny_model(GetParam().config);
  const Tensor before = model.score(one_sequence()).logps;
  model.attach_adapter(options_of(GetParam().options), 9);
  EXPECT_LT(distance(before, model.score(one_sequence()).logps), 1e-12);
}

TEST_P(AdapterKinds, OffIsTheModelWithoutIt) {
  const LanguageModel model = adapted_model(GetParam().config, GetParam().options);
  const Tensor plain = tiny_model(GetParam().config).score(one_sequence()).logps;
  EXPECT_LT(distance(model.score(without_adapter(one_sequence())).logps, plain), 1e-12);
  EXPECT_GT(distance(model.score(one_sequence()).logps, plain), 0.01);
}

TEST_P(AdapterKinds, MergedEqualsUnmergedAndComesBack) {
  LanguageModel model = adapted_model(GetParam().config, GetParam().options);
  const TokenForest forest = one_sequence();
  const Tensor on = model.score(forest).logps, off = model.score(without_adapter(forest)).logps;
  EXPECT_LT(distance(model.merged_copy().score(forest).logps, on), 1e-10);
  model.merge_adapter();
  EXPECT_LT(distance(model.score(forest).logps, on), 1e-10);
  model.unmerge_adapter();
  EXPECT_LT(distance(model.score(forest).logps, on), 1e-10);
  EXPECT_LT(distance(model.score(without_adapter(forest)).logps, off), 1e-10);
}

TEST_P(AdapterKinds, SavedAndLoadedIsTheSame) {
  const TemporaryDirectory directory;
  const LanguageModel model = adapted_model(GetParam().config, GetParam().options);
  model.save_adapter(disk(), directory.path(), "some/base");
  LanguageModel again = tiny_model(GetParam().config);
  again.load_adapter(directory.path());
  EXPECT_LT(distance(again.score(one_sequence()).logps, model.score(one_sequence()).logps), 1e-4);  // float32 files
}

TEST_P(AdapterKinds, DecodesAsItScores) {
  LanguageModel model = adapted_model(GetParam().config, GetParam().options);
  const std::vector<std::int32_t> prompt = {4, 8, 15, 16};
  Decoder decoder(model);
  const std::vector<std::span<const std::int32_t>> prompts = {prompt};
  const auto prefilled = decoder.prefill(prompts);
  const std::vector<std::int32_t> next = {23};
  const Tensor stepped = decoder.step(prefilled.slots, next);
  ForestBuilder builder;
  const std::vector<std::int32_t> whole = {4, 8, 15, 16, 23, 42};
  builder.read(builder.add(whole), 4, 6, {.response = 0});
  const Tensor logits = model.logits(builder.build());
  EXPECT_LT(distance(prefilled.logits[0], logits[0]), 1e-10);
  EXPECT_LT(distance(stepped[0], logits[1]), 1e-10);
}

// Norms get no gradient, so finite differences hold the norms where they are: the gradient against the reference
// operations, and against a change of the magnitudes and saved modules, on which norms do not depend.
TEST_P(AdapterKinds, GradientsEqualTheReferenceAndFiniteDifferences) {
  LanguageModel model = adapted_model(GetParam().config, GetParam().options);
  const TokenForest forest = one_sequence();
  const Tensor factors = at::arange(1, 12, at::TensorOptions(at::kDouble)).sin();
  const auto gradient = [&] {
    model.trainable().zero_gradients();
    (model.score(forest).logps * factors).sum().backward();
    return model.trainable().gradient().clone();
  };
  const Tensor ours = gradient();
  model.set_compute({.recompute_blocks = true});
  EXPECT_LT(distance(ours, gradient()), 1e-11);
  model.set_compute({});
  {
    const UseReferenceOperations reference(true);
    EXPECT_LT(distance(ours, gradient()), 1e-9);
  }
  const at::NoGradGuard no_grad;
  Parameters& trained = model.trainable();
  double expected = 0;
  std::vector<std::pair<Tensor, Tensor>> steps;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    const bool factor = trained.spec(i).parts.front().name.find(".lora_") != std::string::npos;
    if (GetParam().options.magnitudes && factor && trained.leaf(i).dim() == 2) continue;
    const Tensor leaf = trained.leaf(i).detach();
    const Tensor step = at::arange(1, leaf.numel() + 1, leaf.options()).cos().view(leaf.sizes());
    expected += ours.narrow(0, leaf.storage_offset(), leaf.numel()).view(leaf.sizes()).mul(step).sum().item<double>();
    steps.emplace_back(leaf, step);
  }
  ASSERT_FALSE(steps.empty());
  const auto value = [&](double by) {
    for (auto& [leaf, step] : steps) leaf.add_(step, by);
    const double result = (model.score(forest).logps * factors).sum().item<double>();
    for (auto& [leaf, step] : steps) leaf.add_(step, -by);
    return result;
  };
  EXPECT_NEAR((value(1e-6) - value(-1e-6)) / 2e-6, expected, 1e-5 * (1 + std::abs(expected)));
}

INSTANTIATE_TEST_SUITE_P(All, AdapterKinds, ::testing::ValuesIn(kinds),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(AdapterStarts, GaussianHasTheStandardDeviationOfPeft) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  AdapterOptions options = options_of({.start = AdapterStart::gaussian});
  options.rank = 8;
  const Parameters& drawn = model.attach_adapter(options, 3).parameters();
  double squares = 0, count = 0;
  for (const std::string& name : drawn.names()) {
    const Tensor values = drawn.part(name);
    if (name.ends_with(".lora_B.weight")) {
      EXPECT_EQ(values.abs().max().item<double>(), 0) << name;
      continue;
    }
    squares += values.square().sum().item<double>();
    count += static_cast<double>(values.numel());
  }
  EXPECT_NEAR(std::sqrt(squares / count), 1.0 / 8, 0.005);  // about 4500 draws: one in a hundred
}

TEST(AdapterStarts, PrincipalFactorsAreTheLargestSingularValues) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  const Parameters& factors = model.attach_adapter(options_of({.start = AdapterStart::principal}), 3).parameters();
  const std::string module = "base_model.model.model.layers.1.mlp.down_proj";
  const Tensor change = 2 * factors.part(module + ".lora_B.weight").mm(factors.part(module + ".lora_A.weight"));
  const Tensor weight = model.parameters().part("model.layers.1.mlp.down_proj.weight");
  // What is left over has no part in the space that was taken, and is smaller than it.
  const Tensor rest = weight - change;
  EXPECT_LT(rest.mm(change.t()).abs().max().item<double>(), 1e-10);
  EXPECT_LT(change.t().mm(rest).abs().max().item<double>(), 1e-10);
  EXPECT_GT(change.square().sum().item<double>(), 3.0 / 24 * weight.square().sum().item<double>());
}

TEST(AdapterStarts, WhatCannotBeIsRefused) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  AdapterOptions options = options_of({.start = AdapterStart::principal});
  options.rank = 25;
  EXPECT_THROW(model.attach_adapter(options, 3), ConfigError);
  EXPECT_THROW(model.attach_adapter({.magnitudes = true, .start = AdapterStart::principal}, 3), ConfigError);
  EXPECT_THROW(model.attach_adapter({.saved = {"score"}}, 3), ConfigError);
  EXPECT_THROW(model.attach_adapter({.saved = {"q_proj"}}, 3), ConfigError);
}

TEST(SavedModules, OfATiedModelStayBesideIt) {
  LanguageModel model = adapted_model(testing::tiny_qwen2, {.saved = {"lm_head"}});
  const Tensor on = model.score(one_sequence()).logps;
  EXPECT_GT(distance(on, model.score(without_adapter(one_sequence())).logps), 0.01);
  EXPECT_THROW(model.merge_adapter(), UsageError);
  EXPECT_LT(distance(on, model.score(one_sequence()).logps), 1e-12);
  EXPECT_THROW(model.merged_copy(), UsageError);
}

TEST(SavedModules, AHeadThatIsOnAndOffInOnePassIsRefused) {
  const LanguageModel model = adapted_model(testing::tiny_llama, {.saved = {"lm_head"}});
  Random random(4, "mixed");
  ForestBuilder builder;
  builder.read(builder.add(random_ids(random, 4), -1, {.adapter = -1}), 1, 4, {.response = 0});
  builder.read(builder.add(random_ids(random, 4)), 1, 4, {.response = 1});
  EXPECT_THROW(model.score(builder.build()), InternalError);
}

TEST(SavedModules, AScoreHeadGoesOntoABaseWithoutOne) {
  const TemporaryDirectory directory;
  ModelConfig config = parse_model_config(Json::parse(testing::tiny_llama), "config.json");
  config = classifier_config(config, {"a", "b"}, "config.json");
  LanguageModel model = LanguageModel::random(config, 1, at::kDouble);
  model.attach_adapter(options_of({.saved = {"score"}}), 2);
  disturb(model.adapter()->parameters());
  model.save_adapter(disk(), directory.path(), "base");
  const Json saved = Json::parse(read_file(directory / "adapter_config.json"));
  EXPECT_EQ(saved.find("task_type")->string(), "SEQ_CLS");
  EXPECT_EQ(saved.find("modules_to_save")->items().at(0).string(), "score");
  LanguageModel again = LanguageModel::random(config, 1, at::kDouble);
  again.parameters().part("score.weight").fill_(7);  // drawn by another seed: not part of what the base must share
  again.load_adapter(directory.path());
  ForestBuilder builder;
  const std::vector<std::int32_t> ids = {3, 1, 4, 1, 5};
  builder.mark(builder.add(ids), 4);
  const TokenForest forest = builder.build();
  EXPECT_LT(distance(model.label_scores(forest).scores, again.label_scores(forest).scores), 1e-5);
  again.parameters().part("model.norm.weight").mul_(2);
  again.detach_adapter();
  EXPECT_THROW(again.load_adapter(directory.path()), FormatError);
}

TEST(AdaptersTogether, ChangeTheWeightsByTheWeightedSum) {
  const TemporaryDirectory first, second;
  AdapterOptions narrow = options_of({});
  narrow.targets = {"q_proj", "down_proj"};
  LanguageModel a = tiny_model(testing::tiny_llama), b = adapted_model(testing::tiny_llama, {.rank_stabilized = true});
  a.attach_adapter(narrow, 1);
  disturb(a.adapter()->parameters());
  a.save_adapter(disk(), first.path(), "base");
  b.save_adapter(disk(), second.path(), "base");
  LanguageModel both = tiny_model(testing::tiny_llama);
  both.load_adapters({first.path(), second.path()}, {0.5, -2});
  EXPECT_EQ(both.adapter()->options().rank, 6);
  const Tensor base = both.parameters().flat().clone();
  const Tensor expected =
      base + 0.5 * (a.merged_copy().parameters().flat() - base) - 2 * (b.merged_copy().parameters().flat() - base);
  both.merge_adapter();
  EXPECT_LT(distance(both.parameters().flat(), expected), 1e-5);  // float32 files
}

TEST(AdaptersTogether, MagnitudesDoNotAdd) {
  const TemporaryDirectory directory;
  adapted_model(testing::tiny_llama, {.magnitudes = true}).save_adapter(disk(), directory.path(), "base");
  LanguageModel model = tiny_model(testing::tiny_llama);
  EXPECT_THROW(model.load_adapters({directory.path()}, {1}), ConfigError);
}

TEST(AdaptersTogether, AFolderOfSeveralNamesThem) {
  const TemporaryDirectory directory;
  const LanguageModel model = adapted_model(testing::tiny_llama, {});
  model.save_adapter(disk(), directory / "helpful", "base");
  model.save_adapter(disk(), directory / "brief", "base");
  LanguageModel again = tiny_model(testing::tiny_llama);
  try {
    again.load_adapter(directory.path());
    FAIL() << "nothing was refused";
  } catch (const MissingInput& error) {
    EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("helpful"), HasSubstr("brief")));
  }
  again.load_adapter(directory / "brief");
}

}  // namespace
}  // namespace attune
