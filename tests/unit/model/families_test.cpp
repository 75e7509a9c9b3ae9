// What holds for every family: a prompt shared by completions, sequences of their own and dense attention are one
// function with one gradient, which is transformers'; the cache computes what the full pass does; adapters go where
// PEFT puts them. The models are those that record_families.py recorded.
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "attune/base/errors.h"
#include "attune/model/decoder.h"
#include "attune/model/families.h"
#include "attune/tensor/reference.h"
#include "support/recorded_models.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;
using testing::expected_of;
using testing::ids_of;
using testing::random_ids;
using Ids = std::vector<std::int32_t>;

LanguageModel load(const std::string& name, at::ScalarType dtype = at::kDouble) {
  return LanguageModel::load(testing::recorded_model(name), {.dtype = dtype});
}

class Families : public ::testing::TestWithParam<std::string> {};

// Two trees, one with a completion of a completion; longer than the windows of the recorded models.
TokenForest small_forest() {
  Random random(7, "forest");
  ForestBuilder builder;
  std::int32_t response = 0;
  for (const int prompt : {11, 3}) {
    const std::int32_t root = builder.add(random_ids(random, prompt));
    const std::int32_t first = builder.add(random_ids(random, 6), root);
    builder.read(first, 0, 6, {.response = response++});
    builder.read(builder.add(random_ids(random, 9), root), 0, 9, {.response = response++});
    builder.read(builder.add(random_ids(random, 4), first), 0, 4, {.response = response++});
  }
  return builder.build();
}

struct Result {
  Tensor logps, gradient;
};

Tensor weights_for(const Tensor& logps) { return at::arange(1, logps.size(0) + 1, logps.options()).sin(); }

Result run(LanguageModel& model, const TokenForest& forest) {
  model.trainable().require_gradients(true);
  model.trainable().zero_gradients();
  const Tensor logps = model.score(forest).logps;
  (logps * weights_for(logps.detach())).sum().backward();
  return {logps.detach(), model.trainable().gradient().clone()};
}

void expect_equal(const Result& a, const Result& b, const std::string& what) {
  EXPECT_GT(a.gradient.abs().max().item<double>(), 1e-3) << what;
  EXPECT_LT(distance(a.logps, b.logps), 1e-10) << what;
  EXPECT_LT(distance(a.gradient, b.gradient), 1e-10 * (1 + a.gradient.abs().max().item<double>())) << what;
}

TEST_P(Families, SharedPromptsSequencesOfTheirOwnAndDenseAttentionAreOneFunction) {
  LanguageModel model = load(GetParam());
  const TokenForest forest = small_forest();
  const Result shared = run(model, forest);
  expect_equal(shared, run(model, unshared(forest)), "unshared");
  const UseReferenceOperations reference(true);
  expect_equal(shared, run(model, forest), "dense");
}

TEST_P(Families, BlocksThatRunAgainGiveTheSameGradients) {
  LanguageModel model = load(GetParam());
  const Result kept = run(model, small_forest());
  model.set_compute({.recompute_blocks = true, .head_cache = 0, .chunk_rows = 5});
  const Result again = run(model, small_forest());
  EXPECT_LT(distance(kept.logps, again.logps), 1e-12);
  EXPECT_LT(distance(kept.gradient, again.gradient), 1e-10);
}

TEST_P(Families, GradientsEqualFiniteDifferences) {
  LanguageModel model = load(GetParam());
  const TokenForest forest = small_forest();
  const Result result = run(model, forest);
  const at::NoGradGuard no_grad;
  const Tensor flat = model.parameters().flat(), step = at::zeros_like(flat);
  Random random(2, "direction");
  for (std::int64_t i = 0; i < flat.numel(); ++i) step.mutable_data_ptr<double>()[i] = random.normal();
  const auto value = [&](double by) {
    flat.add_(step, by);
    const Tensor logps = model.score(forest).logps;
    flat.add_(step, -by);
    return (logps * weights_for(logps)).sum().item<double>();
  };
  const double expected = (result.gradient * step).sum().item<double>(), size = 1e-6;
  EXPECT_NEAR((value(size) - value(-size)) / (2 * size), expected, 2e-5 * (1 + std::abs(expected)));
}

TEST_P(Families, TheGradientOfARecordedLossHasTransformersNorm) {
  LanguageModel model = load(GetParam());
  const Json record = expected_of(GetParam());
  model.trainable().require_gradients(true);
  Tensor loss = at::zeros({}, at::kDouble);
  for (const Json& row : record.find("sequences")->items()) {
    loss = loss - model.score(forest_of_sequences(std::vector<Ids>{ids_of(*row.find("ids"))})).logps.mean();
  }
  loss.backward();
  const double expected = record.find("gradient_norm")->number();
  EXPECT_NEAR(model.trainable().gradient().norm().item<double>(), expected, 1e-4 * expected);
}

TEST_P(Families, TheCacheComputesWhatTheFullPassDoes) {
  for (const auto dtype : {at::kDouble, at::kFloat}) {
    const LanguageModel model = load(GetParam(), dtype);
    const at::NoGradGuard no_grad;
    Random random(5, "sequences");
    const Ids first = random_ids(random, 30), second = random_ids(random, 30);  // within what dynamic scaling keeps
    const std::span<const std::int32_t> prompts[] = {std::span(first).first(3), std::span(second).first(14)};
    Decoder decoder(model);
    const auto [slots, logits] = decoder.prefill(prompts);
    const Tensor full[] = {model.logits(forest_of_sequences(std::vector<Ids>{first})),
                           model.logits(forest_of_sequences(std::vector<Ids>{second}))};
    const double tolerance = (dtype == at::kDouble ? 1e-12 : 2e-6) * (1 + full[1].abs().max().item<double>());
    EXPECT_LT(distance(logits[0], full[0][2]), tolerance);
    EXPECT_LT(distance(logits[1], full[1][13]), tolerance);
    for (std::size_t i = 0; i < 15; ++i) {
      const Tensor stepped = decoder.step(slots, Ids{first[3 + i], second[14 + i]});
      EXPECT_LT(distance(stepped[0], full[0][static_cast<std::int64_t>(3 + i)]), tolerance) << i;
      EXPECT_LT(distance(stepped[1], full[1][static_cast<std::int64_t>(14 + i)]), tolerance) << i;
    }
  }
}

TEST_P(Families, AdaptersGoWherePeftPutsThemAndChangeNothingAtFirst) {
  LanguageModel model = load(GetParam());
  const Tensor before = model.score(small_forest()).logps;
  const Json record = expected_of(GetParam());
  Adapter& adapter = model.attach_adapter({.rank = 2}, 1);
  EXPECT_LT(distance(model.score(small_forest()).logps, before), 1e-12);
  std::set<std::string> ours, theirs;
  for (const std::string& name : adapter.parameters().names()) {
    ours.insert(name.substr(17, name.find(".lora_") - 17));  // behind "base_model.model."
  }
  const Json* recorded = record.find("adapted");
  if (recorded->is_null()) return;  // a family for which PEFT wants to be told
  for (const Json& module : recorded->items()) theirs.insert(module.string());
  EXPECT_EQ(ours, theirs);
}

TEST_P(Families, AnAdapterOnAllMatricesMergesIntoThem) {
  LanguageModel model = load(GetParam());
  Adapter& adapter = model.attach_adapter({.rank = 2, .targets = {"all-linear"}}, 1);
  Random random(4, "factors");
  const Tensor flat = adapter.parameters().flat();
  for (std::int64_t i = 0; i < flat.numel(); ++i) flat.mutable_data_ptr<double>()[i] = 0.2 * random.normal();
  const Tensor apart = model.score(small_forest()).logps, off = model.score(without_adapter(small_forest())).logps;
  EXPECT_GT(distance(apart, off), 1e-2);
  EXPECT_LT(distance(model.merged_copy().score(small_forest()).logps, apart), 1e-9);
}

TEST_P(Families, TheBalanceOfExpertsEqualsTransformers) {
  const Json record = expected_of(GetParam());
  LanguageModel model = load(GetParam());
  if (record.find("balance") == nullptr) {
    EXPECT_FALSE(model.score(small_forest(), {.balance = true}).balance.defined());
    return;
  }
  EXPECT_EQ(model.config().experts.balance, 0.02);
  const std::vector<Ids> sequence = {ids_of(*record.find("sequences")->items()[2].find("ids"))};
  model.trainable().require_gradients(true);
  const auto gradient = [&](bool recompute) {
    model.set_compute({.recompute_blocks = recompute});
    model.trainable().zero_gradients();
    const Tensor balance = model.score(forest_of_sequences(sequence), {.balance = true}).balance;
    EXPECT_NEAR(balance.item<double>(), record.find("balance")->number(), 1e-5);
    balance.backward();
    return model.trainable().gradient().clone();
  };
  const Tensor kept = gradient(false);
  EXPECT_GT(kept.abs().max().item<double>(), 1e-4);
  EXPECT_LT(distance(kept, gradient(true)), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Recorded, Families, ::testing::ValuesIn(testing::recorded_families(false)),
                         [](const auto& test) {
                           std::string name = test.param.substr(9);  // behind "families/"
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(FamilyTable, EveryFamilyAndEveryClassifierWasRecorded) {
  std::set<std::string> models = {"llama", "mistral", "qwen2", "gpt2"}, classifiers;
  for (const std::string& name : testing::recorded_families(false)) {
    models.insert(read_model_config(testing::recorded_model(name)).family);
  }
  for (const std::string& name : testing::recorded_families(true)) {
    classifiers.insert(read_model_config(testing::recorded_model(name)).family);
  }
  for (const FamilyRow* row : family_rows()) {
    EXPECT_TRUE(models.contains(std::string(row->model_type))) << row->model_type;
    EXPECT_EQ(classifiers.contains(std::string(row->model_type)), !row->classifier.empty()) << row->model_type;
    EXPECT_FALSE(row->summary.empty() || row->paper.empty()) << row->model_type;
  }
}

TEST(RotaryScaling, ASequenceCannotGrowIntoOtherFrequenciesTokenByToken) {
  const LanguageModel model = load("families/rope-longrope");
  Random random(5, "sequence");
  const Ids prompt = random_ids(random, 31);
  const std::span<const std::int32_t> prompts[] = {prompt};
  Decoder decoder(model);
  const auto slots = decoder.prefill(prompts).slots;
  decoder.step(slots, Ids{1});
  EXPECT_THROW(decoder.step(slots, Ids{1}), DataError);
  EXPECT_EQ(decoder.length(slots[0]), 32) << "a refused step changed the slot";
}

TEST(RotaryScaling, CompletionsOnBothSidesOfALimitAreEachTurnedAsAlone) {
  for (const std::string name : {"families/rope-dynamic", "families/rope-longrope", "families/phi3-longrope"}) {
    LanguageModel model = load(name);
    Random random(9, "straddling");
    const Ids prompt = random_ids(random, 20), brief = random_ids(random, 5), extended = random_ids(random, 25);
    ForestBuilder builder;
    const std::int32_t root = builder.add(prompt);
    builder.read(builder.add(brief, root), 0, 5, {.response = 0});
    builder.read(builder.add(extended, root), 0, 25, {.response = 1});
    const Tensor together = model.score(builder.build()).logps;
    const auto alone = [&](const Ids& completion) {
      Ids all = prompt;
      all.insert(all.end(), completion.begin(), completion.end());
      return model.score(forest_of_sequences(std::vector<Ids>{all})).logps.slice(0, 19);
    };
    EXPECT_LT(distance(together.slice(0, 0, 5), alone(brief)), 1e-12) << name;
    EXPECT_LT(distance(together.slice(0, 5), alone(extended)), 1e-12) << name;
  }
}

TEST(RotaryScaling, OnlyTheOwnTreeOfASequenceStretchesIt) {
  const LanguageModel model = load("families/rope-dynamic");
  Random random(6, "sequences");
  const Ids small = random_ids(random, 8), large = random_ids(random, 50);
  const Tensor alone = model.score(forest_of_sequences(std::vector<Ids>{small})).logps;
  const Tensor beside = model.score(forest_of_sequences(std::vector<Ids>{small, large})).logps;
  EXPECT_LT(distance(alone, beside.slice(0, 0, 7)), 1e-12);
}

}  // namespace
}  // namespace attune
