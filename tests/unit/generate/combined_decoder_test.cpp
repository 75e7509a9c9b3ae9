// Several models that write one text, against full passes of each and the sum of their log-probabilities.
#include "attune/generate/combined_decoder.h"

#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/generate/engine.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::tiny_model;
using Ids = std::vector<std::int32_t>;
using Models = std::vector<WeightedModel>;

const TextInterface no_text{.stop_ids = {}, .decode = [](std::span<const std::int32_t>) { return std::string(); }};

// [V] float32 after these ids: the weighted sum of log-probabilities, each from a full pass of its model.
std::vector<float> combined_after(const Models& models, Ids ids) {
  const at::NoGradGuard no_grad;
  ids.push_back(0);
  Tensor sum;
  for (const auto& [model, weight] : models) {
    const Tensor row = model->logits(forest_of_sequences(std::vector<Ids>{ids}))[-1].to(at::kDouble);
    const Tensor weighted = at::log_softmax(row, 0) * weight;
    sum = sum.defined() ? sum + weighted : weighted;
  }
  sum = sum.to(at::kFloat).contiguous();
  return {sum.const_data_ptr<float>(), sum.const_data_ptr<float>() + sum.numel()};
}

double gap_of_best_two(std::vector<float> logits) {
  std::partial_sort(logits.begin(), logits.begin() + 2, logits.end(), std::greater<>());
  return static_cast<double>(logits[0]) - static_cast<double>(logits[1]);
}

// Follows an answer token by token; the tokens at which another one would have been as right, within 1e-5.
int follow(const Models& models, const GenerateRequest& request, const Generated& answer, int sample_index) {
  int near = 0;
  Ids ids = request.prompt;
  Random random(request.seed, "sample", {request.id, sample_index});
  for (std::size_t t = 0; t < answer.ids.size(); ++t) {
    const std::vector<float> logits = combined_after(models, ids);
    const double uniform = random.uniform();
    const SampledToken expected = sample(logits, request.sampling, uniform);
    if (expected.id == answer.ids[t]) {
      EXPECT_NEAR(expected.logp, answer.logps[t], 2e-5) << "request " << request.id << ", token " << t;
    } else {
      ++near;
      const bool tie =
          request.sampling.temperature == 0
              ? gap_of_best_two(logits) < 1e-5
              : sample(logits, request.sampling, std::max(0.0, uniform - 1e-5)).id !=
                    sample(logits, request.sampling, std::min(uniform + 1e-5, std::nextafter(1.0, 0.0))).id;
      EXPECT_TRUE(tie) << "request " << request.id << ", token " << t;
    }
    ids.push_back(answer.ids[t]);
  }
  return near;
}

std::vector<GenerateRequest> ragged_requests(const SamplingOptions& sampling) {
  Random random(8, "combined");
  std::vector<GenerateRequest> requests;
  for (const std::int64_t length : {1, 9, 3, 20}) {
    requests.push_back({.prompt = testing::random_ids(random, length),
                        .samples = sampling.temperature == 0 ? 1 : 2,
                        .sampling = sampling,
                        .max_tokens = 12,
                        .seed = 11,
                        .id = static_cast<std::int64_t>(requests.size())});
  }
  return requests;
}

TEST(CombinedDecoder, GreedyAndSampledAnswersAreThoseOfTheSumOfLogProbabilitiesFromFullPasses) {
  const LanguageModel now = tiny_model(testing::tiny_llama, at::kDouble, 1);
  const LanguageModel before = tiny_model(testing::tiny_llama, at::kDouble, 2);
  const LanguageModel windowed = tiny_model(testing::tiny_mistral),
                      learned = tiny_model(testing::tiny_gpt2, at::kFloat);
  const Models combinations[] = {
      {{&now, 1.3}, {&before, -0.3}},                     // momentum
      {{&now, 0.5}, {&before, 0.25}, {&windowed, 0.25}},  // a geometric mean
      {{&learned, 1}, {&now, 0.8}, {&windowed, -0.8}},    // what tuning changed, carried over
      {{&now, 1.3}, {&now, -0.3}},                        // nothing moved
      {{&windowed, 2}},
  };
  int tokens = 0, near = 0;
  for (const Models& models : combinations) {
    for (const SamplingOptions& sampling :
         {SamplingOptions{.temperature = 0}, {}, {.temperature = 0.7, .top_k = 20, .top_p = 0.9}}) {
      const auto requests = ragged_requests(sampling);
      const auto answers = generate(models, no_text, requests, {.slots = 3, .prefill_tokens = 12});
      for (std::size_t i = 0; i < requests.size(); ++i) {
        for (std::size_t s = 0; s < answers[i].size(); ++s) {
          ASSERT_EQ(answers[i][s].ids.size(), 12u);
          near += follow(models, requests[i], answers[i][s], static_cast<int>(s));
          tokens += 12;
        }
      }
    }
  }
  EXPECT_EQ(tokens, 5 * 12 * (4 + 8 + 8));
  EXPECT_LE(near, tokens / 200);
}

TEST(CombinedDecoder, WithWeightZeroForTheOtherModelsItIsThePlainModelBitForBit) {
  for (const char* config : testing::tiny_configs) {
    for (const auto dtype : {at::kFloat, at::kDouble}) {
      const LanguageModel model = tiny_model(config, dtype), other = tiny_model(testing::tiny_llama, dtype, 5);
      const auto requests = ragged_requests({.temperature = 0.9});
      const auto plain = generate(model, no_text, requests);
      for (const Models& models : {Models{{&model, 1}, {&other, 0}}, {{&other, -0.0}, {&model, 1}, {&other, 0}}}) {
        const auto combined = generate(models, no_text, requests);
        for (std::size_t i = 0; i < requests.size(); ++i) {
          for (std::size_t s = 0; s < plain[i].size(); ++s) {
            EXPECT_EQ(combined[i][s].ids, plain[i][s].ids);
            EXPECT_EQ(combined[i][s].logps, plain[i][s].logps);
          }
        }
      }
    }
  }
}

// The probability of a chi-squared of this many degrees of freedom or more (Wilson and Hilferty's approximation).
double chi_squared_tail(double value, double freedom) {
  const double spread = 2 / (9 * freedom);
  return 0.5 * std::erfc((std::cbrt(value / freedom) - 1 + spread) / std::sqrt(spread) / std::sqrt(2.0));
}

constexpr std::int32_t tokens_of_all = 5;
constexpr const char* five_tokens = R"({"model_type": "llama", "vocab_size": 5, "hidden_size": 16,
  "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 24,
  "max_position_embeddings": 32, "initializer_range": 0.35, "tie_word_embeddings": false})";

// p of a goodness of fit of answers of three tokens to what the models say of each of the 125; those expected less than
// five times share a cell.
double fit(const Models& models, const Ids& prompt, const std::vector<Generated>& answers) {
  std::map<Ids, double> found;
  for (const Generated& answer : answers) found[answer.ids] += 1;
  const auto count = static_cast<double>(answers.size());
  double value = 0, rare = 0, rare_found = 0, total = 0;
  int cells = 0;
  const auto logp = [&](Ids so_far, std::int32_t next) {
    so_far.insert(so_far.begin(), prompt.begin(), prompt.end());
    const std::vector<float> logits = combined_after(models, so_far);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    return static_cast<double>(logits[static_cast<std::size_t>(next)]) - std::log(sum);
  };
  for (std::int32_t a = 0; a < tokens_of_all; ++a) {
    for (std::int32_t b = 0; b < tokens_of_all; ++b) {
      for (std::int32_t c = 0; c < tokens_of_all; ++c) {
        const double expected = count * std::exp(logp({}, a) + logp({a}, b) + logp({a, b}, c));
        total += expected;
        if (expected < 5) {
          rare += expected;
          rare_found += found[{a, b, c}];
          continue;
        }
        value += std::pow(found[{a, b, c}] - expected, 2) / expected;
        ++cells;
      }
    }
  }
  EXPECT_NEAR(total, count, 1e-3 * count);
  if (rare >= 5) {
    value += std::pow(rare_found - rare, 2) / rare;
    ++cells;
  }
  return chi_squared_tail(value, cells - 1);
}

TEST(CombinedDecoder, WholeAnswersOfATinyModelFollowTheCombinedDistribution) {
  const LanguageModel now = tiny_model(five_tokens, at::kDouble, 3), before = tiny_model(five_tokens, at::kDouble, 4);
  const std::array<WeightedModel, 2> momentum{{{&now, 1.3}, {&before, -0.3}}};
  const GenerateRequest request{.prompt = {2, 0}, .samples = 6000, .max_tokens = 3, .seed = 1};
  const auto answers = generate(momentum, no_text, std::span(&request, 1), {.slots = 256});
  EXPECT_GT(fit({momentum.begin(), momentum.end()}, request.prompt, answers[0]), 1e-3);
  EXPECT_LT(fit({{&now, 1}}, request.prompt, answers[0]), 1e-9) << "a test that would not see the difference";
}

TEST(CombinedDecoder, ModelsThatCannotWriteOneTextAreRefused) {
  const LanguageModel large = tiny_model(testing::tiny_llama), small = tiny_model(five_tokens);
  const std::vector<GenerateRequest> requests{{.prompt = {1, 2}}};
  EXPECT_THROW(generate(Models{{&large, 1}, {&small, 1}}, no_text, requests), ConfigError);
  EXPECT_THROW(generate(Models{{&large, 0}, {&large, 0}}, no_text, requests), InternalError);
  EXPECT_THROW(generate(Models{}, no_text, requests), InternalError);
  EXPECT_THROW(generate(Models{{&large, std::nan("")}}, no_text, requests), InternalError);
}

TEST(CombinedDecoder, ItsPositionsAreThoseOfTheShortest) {
  const LanguageModel longer = tiny_model(testing::tiny_llama), shorter = tiny_model(testing::tiny_gpt2);  // 128, 96
  GenerateRequest request{.prompt = Ids(90, 5)};
  for (const Models& models : {Models{{&longer, 0.5}, {&shorter, 0.5}}, {{&shorter, 0.5}, {&longer, 0.5}}}) {
    EXPECT_EQ(generate(models, no_text, std::span(&request, 1))[0][0].ids.size(), 6u);
  }
  request.prompt = Ids(96, 5);
  EXPECT_THROW(generate(Models{{&longer, 0.5}, {&shorter, 0.5}}, no_text, std::span(&request, 1)), DataError);
}

}  // namespace
}  // namespace attune
