// The cringe losses: against scalar code with the same draws, at the ends of their gate, and on a word that must go.
#include <ATen/ops/allclose.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/exact.h"

namespace attune {
namespace {

using testing::answers_to;
using testing::descend;
using testing::exact_step;
using testing::objectives_of;

const std::vector<double> logits{0.5, -1, 1.2, 0.2, -0.4};

double softplus(double x) { return std::log1p(std::exp(x)); }

// The penalty of answer `bad` of the table: the other logits from the greatest on, one of the first k drawn.
double penalty(std::size_t bad, std::size_t k, double uniform) {
  std::vector<double> others;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (i != bad) others.push_back(logits[i]);
  }
  std::sort(others.rbegin(), others.rend());
  double sum = 0, reached = 0;
  for (std::size_t i = 0; i < k; ++i) sum += std::exp(others[i]);
  std::size_t drawn = 0;
  while (drawn + 1 < k && (reached += std::exp(others[drawn]) / sum) <= uniform) ++drawn;
  return softplus(logits[bad] - others[drawn]);
}

double log_probability(std::size_t answer) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  return logits[answer] - std::log(sum);
}

TEST(Cringe, EqualsScalarCodeWithTheSameDraws) {
  TabularPolicy policy(at::tensor(logits, at::kDouble).view({1, 5}));
  TokenRecord record = answers_to(0, 5);
  record.thumbs = {1, -1, -1, 0, 0};
  std::vector<double> seen;
  for (std::int64_t step = 0; step < 40; ++step) {
    const auto draw = [&](std::int64_t answer) { return Random(7, "objective/cringe", {step, 0, answer}).uniform(); };
    const double expected = (-log_probability(0) + 0.5 * (penalty(1, 3, draw(1)) + penalty(2, 3, draw(2)))) / 3;
    const auto loss =
        exact_step(policy, objectives_of("{cringe: {k: 3, alpha: 0.5}}"), {record}, nullptr, {.step = step, .seed = 7})
            .loss;
    EXPECT_NEAR(loss.item<double>(), expected, 1e-12) << step;
    seen.push_back(penalty(2, 3, draw(2)));
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()) - seen.begin(), 3) << "all three were drawn";
}

TEST(Cringe, GradientsStopAtThePositivesWhereAsked) {
  const auto gradient = [&](const char* yaml) {
    TabularPolicy policy(at::tensor(logits, at::kDouble).view({1, 5}));
    TokenRecord record = answers_to(0, 5);
    record.thumbs = {0, -1, 0, 0, 0};
    exact_step(policy, objectives_of(yaml), {record}).loss.backward();
    return policy.logits().grad()[0].clone();
  };
  // k 1: the bad token 1 against the top token 2.
  const double s = 1 / (1 + std::exp(2.2));
  EXPECT_TRUE(at::allclose(gradient("cringe"), at::tensor({0., s, -s, 0., 0.}, at::kDouble), 1e-12, 1e-14));
  EXPECT_TRUE(
      at::allclose(gradient("{cringe: {detach_positives: true}}"), at::tensor({0., s, 0., 0., 0.}, at::kDouble)));
}

struct Gated {
  double loss, gate;
};
Gated pairwise(const std::string& options) {
  TabularPolicy policy(at::tensor(logits, at::kDouble).view({1, 5}));
  TokenRecord record = answers_to(0, 5);
  record.preferences = {{.chosen = 0, .rejected = 1}};
  const auto step = exact_step(policy, objectives_of("{pairwise-cringe: " + options + "}"), {record});
  return {step.loss.item<double>(), step.metrics.at("gate")};
}

TEST(PairwiseCringe, IsGateTimesBinaryCringe) {
  const double margin = 1.5;  // logits[0] - logits[1]
  const double gate = 1 / (1 + std::exp(-(0.3 - margin) / 0.5));
  const auto step = pairwise("{alpha: 0.7, b: 0.3, tau: 0.5}");
  EXPECT_NEAR(step.gate, gate, 1e-12);
  EXPECT_NEAR(step.loss, gate * (-log_probability(0) + 0.7 * penalty(1, 1, 0)), 1e-12);
}

TEST(PairwiseCringe, TheGateClosesFarAboveItsMarginAndOpensFarBelow) {
  EXPECT_LT(pairwise("{b: -100, tau: 2}").gate, 1e-20);
  EXPECT_GT(pairwise("{b: 100, tau: 2}").gate, 1 - 1e-15);
  EXPECT_NEAR(pairwise("{b: 1.5, tau: 2}").gate, 0.5, 1e-12);
}

TEST(PairwiseCringe, AGateWithGradientPullsAtTheMargin) {
  const auto gradient = [](const char* yaml) {
    TabularPolicy policy(at::tensor(logits, at::kDouble).view({1, 5}));
    TokenRecord record = answers_to(0, 5);
    record.preferences = {{.chosen = 0, .rejected = 1}};
    exact_step(policy, objectives_of(yaml), {record}).loss.backward();
    return policy.logits().grad()[0].clone();
  };
  const Tensor held = gradient("{pairwise-cringe: {tau: 1}}"),
               moving = gradient("{pairwise-cringe: {tau: 1, detach_gate: false}}");
  const double gate = 1 / (1 + std::exp(1.5)), value = -log_probability(0) + penalty(1, 1, 0);
  const double slope = gate * (1 - gate) * value;  // of the gate at the margin, which falls by one nat a nat
  EXPECT_TRUE(at::allclose(moving - held, at::tensor({-slope, slope, 0., 0., 0.}, at::kDouble), 1e-10, 1e-12));
}

// A model of single words, the same for all prompts: word 0 is unsafe and takes a third; good text is all the others.
TEST(PairwiseCringe, RemovesAnUnsafeWordAndLeavesGoodTextAlone) {
  constexpr std::int64_t prompts = 20, words = 6;
  const std::vector<double> shares{0.34, 0.26, 0.16, 0.12, 0.08, 0.04};
  const Tensor start = at::tensor(shares, at::kDouble).log().expand({prompts, words});
  std::vector<TokenRecord> records;
  const std::vector<std::int32_t> good{1, 1, 1, 1, 1, 1, 1, 1, 2, 2,
                                       2, 2, 2, 3, 3, 3, 3, 4, 4, 5};  // about as the model writes
  for (std::int64_t x = 0; x < prompts; ++x) {
    records.push_back(answers_to(x, words));
    records.back().preferences = {{.chosen = good[static_cast<std::size_t>(x)], .rejected = 0}};
  }
  const Tensor neutral = at::softmax(start[0].slice(0, 1), 0);
  const auto perplexity = [&](const TabularPolicy& policy) {
    return std::exp(-(neutral * policy.log_probabilities()[0].slice(0, 1)).sum().item<double>());
  };
  TabularPolicy policy(start);
  const double before = perplexity(policy);
  descend(policy, objectives_of("{pairwise-cringe: {k: 3, b: 3, tau: 1}}"), records,
          {.steps = 150, .rate = 1, .features = at::eye(words, at::kDouble).expand({prompts, words, words})});
  RecordProperty("unsafe", std::to_string(policy.log_probabilities()[0][0].exp().item<double>()));
  RecordProperty("perplexity", std::to_string(perplexity(policy) / before));
  EXPECT_LT(policy.log_probabilities()[0][0].exp().item<double>(), 0.02);
  EXPECT_LT(perplexity(policy), before);
}

}  // namespace
}  // namespace attune
