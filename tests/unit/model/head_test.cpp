// The chunked head: cached or recomputed, in chunks of any size, with columns or without, it is the plain head.
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

#include "attune/model/scored_log_probs.h"
#include "attune/tensor/reference.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;

constexpr std::int64_t rows = 23, width = 8, words = 31;

Tensor random(std::int64_t height, const char* stream) {
  const Tensor result = at::empty({height, width}, at::TensorOptions(at::kDouble));
  Random draws(1, stream);
  for (std::int64_t i = 0; i < result.numel(); ++i) result.mutable_data_ptr<double>()[i] = draws.normal();
  return result;
}

Tensor targets() {
  const Tensor result = at::empty({rows}, at::TensorOptions(at::kLong));
  Random draws(1, "targets");
  for (std::int64_t i = 0; i < rows; ++i) {
    result.mutable_data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(draws.below(words));
  }
  return result;
}

VocabularyTerm entropy() {
  return {"entropy", {}, [](const VocabularyChunk& chunk) {
            const Tensor logps = at::log_softmax(chunk.logits, 1);
            return -(logps.exp() * logps).sum(1);
          }};
}
VocabularyTerm accuracy() {
  return {"accuracy", {}, [](const VocabularyChunk& chunk) {
            return chunk.logits.argmax(1).eq(chunk.targets).to(chunk.logits.scalar_type());
          }};
}
VocabularyTerm kl() {
  return {"kl", {"reference"}, [](const VocabularyChunk& chunk) {
            const Tensor ours = at::log_softmax(chunk.logits, 1);
            return (ours.exp() * (ours - at::log_softmax(chunk.model_logits.at("reference"), 1))).sum(1);
          }};
}

struct Result {
  std::vector<Tensor> values;  // logps, accuracy, entropy, kl, and the gradients of hidden, weight and bias
};

// The plain head, and one with everything that heads may have.
const Head plain = {}, full = {.bias = random(words, "bias").select(1, 0), .scale = 1.7, .soft_cap = 2};

Result run(ScoreOptions options, const Head& form) {
  options.vocabulary = {entropy(), accuracy(), kl()};
  Head frozen = form, head = form;
  frozen.weight = random(words, "frozen weight");
  options.models["reference"] = {random(rows, "frozen hidden"), frozen};
  const Tensor hidden = random(rows, "hidden").set_requires_grad(true);
  head.weight = random(words, "weight").set_requires_grad(true);
  if (form.bias.defined()) head.bias = form.bias.clone().set_requires_grad(true);
  const ScoredTokens scored = scored_log_probs({hidden, head}, targets(), options);
  const Tensor factors = at::arange(1, rows + 1, hidden.options().requires_grad(false)).sin();
  const Tensor loss = (scored.logps * factors).sum() + (scored.vocabulary.at("entropy") * factors.cos()).sum() +
                      (scored.vocabulary.at("kl") * factors * 0.5).sum();
  loss.backward();
  Result result{{scored.logps, scored.vocabulary.at("accuracy"), scored.vocabulary.at("entropy"),
                 scored.vocabulary.at("kl"), hidden.grad(), head.weight.grad()}};
  if (form.bias.defined()) result.values.push_back(head.bias.grad());
  return result;
}

TEST(Head, ChunksCachesAndRecomputationChangeNothing) {
  for (const Head& form : {plain, full}) {
    const Result reference = [&] {
      const UseReferenceOperations on(true);
      return run({}, form);
    }();
    const std::uint64_t chunk = 5 * words * sizeof(double);
    for (const auto& options : {ScoreOptions{}, ScoreOptions{.head_cache = 0, .chunk_rows = 5},
                                ScoreOptions{.head_cache = 2 * chunk, .chunk_rows = 5},
                                ScoreOptions{.head_cache = 0, .chunk_rows = 1}, ScoreOptions{.chunk_rows = rows}}) {
      const Result result = run(options, form);
      for (std::size_t i = 0; i < result.values.size(); ++i) {
        EXPECT_LT(distance(result.values[i], reference.values[i]), 1e-12)
            << "value " << i << ", chunk " << options.chunk_rows << ", soft cap " << form.soft_cap;
      }
    }
    EXPECT_GT(reference.values.back().abs().max().item<double>(), 0.1);
  }
}

TEST(Head, ASoftCapBoundsLogitsAndAScaleMultipliesThem) {
  const Tensor hidden = random(rows, "hidden") * 100, weight = random(words, "weight");
  const Tensor raw = Head{.weight = weight}.logits(hidden);
  EXPECT_GT(raw.abs().max().item<double>(), 100);
  EXPECT_LE((Head{.weight = weight, .soft_cap = 3}.logits(hidden)).abs().max().item<double>(), 3);
  EXPECT_LT(distance(Head{.weight = weight, .scale = 0.5}.logits(hidden), raw / 2), 1e-12);
}

TEST(Head, AFrozenHeadGetsNoGradientAndHiddenStatesTheSame) {
  const Tensor hidden = random(rows, "hidden").set_requires_grad(true), other = hidden.detach().clone();
  other.set_requires_grad(true);
  const Tensor weight = random(words, "weight"), trained = weight.clone().set_requires_grad(true);
  scored_log_probs({hidden, weight}, targets(), {}).logps.sum().backward();
  scored_log_probs({other, trained}, targets(), {}).logps.sum().backward();
  EXPECT_FALSE(weight.grad().defined());
  EXPECT_TRUE(hidden.grad().equal(other.grad()));
}

TEST(Head, ExtremeLogitsStayFinite) {
  const Tensor hidden = (random(rows, "hidden") * 1e4).set_requires_grad(true);
  const Tensor weight = random(words, "weight").set_requires_grad(true);
  const Tensor logps = scored_log_probs({hidden, weight}, targets(), {}).logps;
  logps.sum().backward();
  EXPECT_TRUE(std::isfinite(logps.sum().item<double>()));
  EXPECT_TRUE(std::isfinite(weight.grad().sum().item<double>()));
}

TEST(Head, AColumnForAModelIsDividedByNothingButItsReads) {
  LanguageModel model = testing::tiny_model(testing::tiny_llama);
  const LanguageModel frozen = model.frozen_copy();
  Random draws(3, "ids");
  const std::vector<std::vector<std::int32_t>> sequences = {testing::random_ids(draws, 9)};
  const TokenForest forest = forest_of_sequences(sequences);
  ScoreRequest request{.vocabulary = {kl()}, .models = {{"reference", {&frozen}}}};
  EXPECT_LT(model.score(forest, request).vocabulary.at("kl").abs().max().item<double>(), 1e-12);
  model.parameters().part("model.norm.weight").mul_(1.5);
  const Tensor moved = model.score(forest, request).vocabulary.at("kl");
  EXPECT_EQ(moved.size(0), 8);
  EXPECT_GT(moved.min().item<double>(), 0);
}

}  // namespace
}  // namespace attune
