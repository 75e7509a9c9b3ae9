// Reverse KL from samples against the exact divergence of a tiny model.
#include "attune/diagnostics/divergence.h"

#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

#include <cmath>

#include "unit/diagnostics/support.h"

namespace attune::diagnostics {
namespace {

using testing::number;
using testing::tiny_model;

TEST(ReverseKl, EstimatesAreTheirFormulas) {
  const std::vector<SampleLogps> samples = {{0, {-1, -2}, {-1.5, -1.75}}, {1, {-3}, {-3.5}}};
  const ReverseKl kl = reverse_kl(samples);
  const double k1[] = {0.5 - 0.25, 0.5};
  const auto k3 = [](double log_ratio) { return std::exp(-log_ratio) - 1 + log_ratio; };
  EXPECT_NEAR(kl.k1.mean, (k1[0] + k1[1]) / 2, 1e-15);
  EXPECT_NEAR(kl.k3.mean, (k3(0.5) + k3(-0.25) + k3(0.5)) / 2, 1e-15);
  EXPECT_NEAR(kl.k1.standard_error, std::abs(k1[1] - k1[0]) / 2, 1e-15);  // s / sqrt(2), s = |d| / sqrt(2)
  EXPECT_DOUBLE_EQ(kl.tokens, 1.5);
  EXPECT_DOUBLE_EQ(kl.largest_log_ratio, 0.5);
  EXPECT_NEAR(kl.log_mean_ratio, std::log((std::exp(0.25) + std::exp(0.5)) / 2), 1e-15);
}

// log p of the token after `ids`, [61].
Tensor next(const LanguageModel& model, std::vector<std::int32_t> ids) {
  ids.push_back(0);
  const std::vector<std::vector<std::int32_t>> sequences = {ids};
  return at::log_softmax(model.logits(forest_of_sequences(sequences))[-1].detach(), 0);
}

TEST(ReverseKl, TheSampledEstimatesOfTwoTokensCoverTheExactSumOverAllOfThem) {
  const LanguageModel model = tiny_model(testing::small_llama, at::kDouble, 1);
  LanguageModel reference = model.frozen_copy();
  {  // near enough that a ratio of probabilities has a variance
    const at::NoGradGuard off;
    reference.parameters().part("lm_head.weight").mul_(0.5);
  }
  const std::vector<std::int32_t> prompt = {5, 17, 40};
  const Tensor p = next(model, prompt), q = next(reference, prompt);
  double exact = (p.exp() * (p - q)).sum().item<double>();
  for (std::int32_t token = 0; token < 61; ++token) {
    std::vector<std::int32_t> longer = prompt;
    longer.push_back(token);
    const Tensor a = next(model, longer), b = next(reference, longer);
    exact += std::exp(p[token].item<double>()) * (a.exp() * (a - b)).sum().item<double>();
  }
  Subject subject{.models = {testing::source_of(model)}};
  subject.reference = testing::source_of(reference);
  // The same prompt many times over: each is a cluster of its own, so that errors are those of single draws.
  for (int i = 0; i < 400; ++i) {
    if (i == 0) subject.data.push_back({.name = "prompts"});
    subject.data[0].records.push_back(testing::pair_record(prompt, {1}, {2}));
  }
  subject.text.decode = [](std::span<const std::int32_t>) { return std::string(); };
  const auto part = testing::diagnostic("reverse-kl", {"prompts=400", "samples=2", "max_tokens=2"});
  const Json json = part->run(subject).json;
  EXPECT_EQ(number(json, "samples"), 800);
  EXPECT_EQ(number(json, "tokens_per_sample"), 2);
  for (const char* estimate : {"k1", "k3"}) {
    const Json& found = *json.find(estimate);
    const double error = number(found, "standard_error");
    EXPECT_LT(std::abs(number(found, "mean") - exact), 4 * error) << estimate;
    EXPECT_LT(error, 0.3 * exact) << estimate << ": too few samples to say anything";
  }
  EXPECT_LT(number(*json.find("k3"), "standard_error"), number(*json.find("k1"), "standard_error"));
}

}  // namespace
}  // namespace attune::diagnostics
