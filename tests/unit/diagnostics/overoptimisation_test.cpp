// H_k, M_k and EAD against brute force, and the warnings on curves with a planted turn and without one.
#include "attune/diagnostics/overoptimisation.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "unit/diagnostics/support.h"

namespace attune::diagnostics {
namespace {

using testing::number;
using testing::tiny_model;

struct Signal {
  double entropy = 0, mass = 0;
};
Signal signal_of(const std::vector<double>& logits, std::int64_t k = 10, bool renormalised = false) {
  const Tensor columns =
      top_k_signals(k, renormalised).reduce({.logits = at::tensor(logits, at::kDouble).unsqueeze(0)});
  return {columns[0][0].item<double>(), columns[0][1].item<double>()};
}

TEST(TopK, EntropyAndMassEqualBruteForceOnRandomLogits) {
  for (std::int64_t i = 0; i < 50; ++i) {
    Random random(3, "logits", {i});
    std::vector<double> logits;
    for (int v = 0; v < 40; ++v) logits.push_back(3 * random.normal());
    std::vector<double> p;
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit);
    for (const double logit : logits) p.push_back(std::exp(logit) / sum);
    std::sort(p.rbegin(), p.rend());
    p.resize(10);
    double mass = 0, entropy = 0, scaled = 0;
    for (const double value : p) mass += value;
    for (const double value : p) {
      entropy -= value * std::log2(value);
      scaled -= value / mass * std::log2(value / mass);
    }
    EXPECT_NEAR(signal_of(logits).mass, mass, 1e-12);
    EXPECT_NEAR(signal_of(logits).entropy, entropy, 1e-12);
    EXPECT_NEAR(signal_of(logits, 10, true).entropy, scaled, 1e-12);
  }
}

TEST(TopK, UniformOverKTokensHasLogTwoOfKBits) {
  std::vector<double> logits(50, -1e4);
  std::fill(logits.begin(), logits.begin() + 10, 2.5);
  EXPECT_NEAR(signal_of(logits).entropy, std::log2(10), 1e-12);
  EXPECT_NEAR(signal_of(logits).mass, 1, 1e-12);
  // Uniform over 50: the ten most probable hold a fifth; renormalised they are uniform over ten again.
  const std::vector<double> flat(50, 0.0);
  EXPECT_NEAR(signal_of(flat).mass, 0.2, 1e-12);
  EXPECT_NEAR(signal_of(flat, 10, true).entropy, std::log2(10), 1e-12);
  EXPECT_NEAR(signal_of(flat, 100, true).entropy, std::log2(50), 1e-12) << "k above the vocabulary is all of it";
}

TEST(Ead, IsDistinctOverItsExpectationUnderUniformDraws) {
  const std::vector<std::vector<std::int32_t>> texts = {{1, 2, 1}, {2, 3}};
  // 3 distinct tokens of 5 in a vocabulary of 4: 4 (1 - (3/4)^5). Bigrams 12, 21, 23: 3 of 3.
  EXPECT_NEAR(expectation_adjusted_distinct(texts, 1, 4), 3 / (4 * (1 - std::pow(0.75, 5))), 1e-12);
  EXPECT_NEAR(expectation_adjusted_distinct(texts, 2, 4), 3 / (4 * (1 - std::pow(0.75, 3))), 1e-12);
  EXPECT_TRUE(std::isnan(expectation_adjusted_distinct(texts, 4, 4)));
  // Draws from a uniform distribution score 1, copies of one text far less.
  std::vector<std::vector<std::int32_t>> drawn, copied;
  for (std::int64_t i = 0; i < 200; ++i) {
    Random random(2, "texts", {i});
    drawn.push_back(testing::random_ids(random, 30));
    copied.push_back(drawn.front());
  }
  EXPECT_NEAR(expectation_adjusted_distinct(drawn, 2, 61 * 61), 1, 0.02);
  EXPECT_NEAR(cross_input_diversity(drawn, 61), 1, 0.02);
  EXPECT_LT(cross_input_diversity(copied, 61), 0.3);
}

// A run of 20 evaluations: the entropy rises to `turn` and falls behind it (never: turn 99), the chosen likelihood
// falls throughout, the mass stays.
std::vector<LikelihoodPoint> curve(std::int64_t turn, double chosen_slope = -0.1, double mass_slope = 0) {
  std::vector<LikelihoodPoint> points;
  for (std::int64_t i = 0; i < 20; ++i) {
    const auto t = static_cast<double>(i);
    points.push_back({.step = 50 * i,
                      .chosen = -1 + chosen_slope * t,
                      .rejected = -1 - 0.2 * t,
                      .entropy = 1 - 0.011 * std::abs(t - static_cast<double>(turn)),
                      .mass = 0.9 + mass_slope * t});
  }
  return points;
}

// The warning of this rule; nothing where it is silent.
std::optional<Warning> warning_of(WarningRule rule, std::span<const LikelihoodPoint> points,
                                  const WarningOptions& options = {}) {
  for (const Warning& warning : over_optimisation_warnings(points, options)) {
    if (warning.rule == rule) return warning;
  }
  return std::nullopt;
}

TEST(OverOptimisation, APlantedTurnIsNamedAtItsStepAsSoonAsPatienceAllows) {
  for (const std::int64_t turn : {1, 7, 17}) {
    const auto warning = warning_of(WarningRule::entropy_turn, curve(turn));
    ASSERT_TRUE(warning.has_value());
    EXPECT_EQ(warning->step, 50 * turn);
    EXPECT_EQ(warning->seen, 50 * (turn + 2));
  }
  EXPECT_FALSE(warning_of(WarningRule::entropy_turn, curve(18))) << "one fall is not yet a turn";
}

TEST(OverOptimisation, MonotoneRunsHaveNoTurn) {
  EXPECT_TRUE(over_optimisation_warnings(curve(99)).empty());       // entropy rises to the end
  EXPECT_FALSE(warning_of(WarningRule::entropy_turn, curve(-99)));  // it falls from the start
  EXPECT_TRUE(over_optimisation_warnings(curve(7, 0.1)).empty()) << "the chosen likelihood grows";
  EXPECT_TRUE(over_optimisation_warnings({}).empty());
}

// From the start the entropy falls by 0.011 bits and the chosen likelihood by 0.1 nats a look. More than 0.1 nats and
// 0.05 bits are lost at the fifth look after the first.
TEST(OverOptimisation, GrowingCertainOfOtherAnswersIsNamedSinceTheChosenOnesFell) {
  const auto warning = warning_of(WarningRule::concentration, curve(-99));
  ASSERT_TRUE(warning.has_value());
  EXPECT_EQ(warning->step, 0);
  EXPECT_EQ(warning->seen, 50 * 5);
  auto later = curve(-99);  // the chosen answers gain until look 8, then fall: 0.1 is lost beyond look 17
  for (std::size_t i = 0; i < later.size(); ++i) later[i].chosen = -1 - std::abs(static_cast<double>(i) - 8) * 0.1;
  ASSERT_TRUE(warning_of(WarningRule::concentration, later));
  EXPECT_EQ(warning_of(WarningRule::concentration, later)->step, 50 * 8);
  EXPECT_EQ(warning_of(WarningRule::concentration, later)->seen, 50 * 18);  // -2 there, -1.8 at first
}

TEST(OverOptimisation, NoiseBelowTheBoundsIsNoTurn) {
  EXPECT_FALSE(warning_of(WarningRule::entropy_turn, curve(7), {.least_entropy = 0.5}));
  EXPECT_FALSE(warning_of(WarningRule::concentration, curve(-99), {.least_gain = 0.5}));
  EXPECT_FALSE(warning_of(WarningRule::concentration, curve(-99), {.least_fall = 5}));
  EXPECT_TRUE(over_optimisation_warnings(curve(99, -0.1, -1e-5)).empty());
}

TEST(OverOptimisation, AMassThatLeaksSteadilyIsNamedWhereItBegan) {
  auto points = curve(99);
  for (std::size_t i = 8; i < points.size(); ++i) points[i].mass -= 0.01 * static_cast<double>(i - 7);
  const auto warning = warning_of(WarningRule::mass_loss, points);
  ASSERT_TRUE(warning.has_value());
  EXPECT_EQ(warning->step, 50 * 7);
  EXPECT_EQ(warning->seen, 50 * 10);
}

TEST(OverOptimisation, TheSignalsOfAModelAreThoseOfItsLogits) {
  const LanguageModel model = tiny_model(testing::small_llama, at::kDouble, 1);
  const auto records = testing::random_pairs(5);
  Subject subject{.models = {testing::source_of(model)}};
  subject.data.push_back({.name = "pairs", .records = records});
  subject.text.decode = [](std::span<const std::int32_t>) { return std::string(); };
  const Json json = testing::diagnostic("likelihood-over-optimisation")->run(subject).json.find("models")->items()[0];
  double chosen = 0, rejected = 0, mass = 0;
  for (const TokenRecord& record : records) {
    const auto per_token = [&](std::size_t side) {
      const auto& ids = record.completions[side].ids;
      return testing::brute_force_logp(model, record.prompt, ids) / static_cast<double>(ids.size()) / 5;
    };
    chosen += per_token(0);
    rejected += per_token(1);
    const auto& ids = record.completions[0].ids;
    for (std::size_t k = 0; k < ids.size(); ++k) {
      std::vector<std::int32_t> before = record.prompt;
      before.insert(before.end(), ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(k));
      before.push_back(0);
      const std::vector<std::vector<std::int32_t>> sequences = {before};
      const Tensor logits = model.logits(forest_of_sequences(sequences))[-1].detach().unsqueeze(0);
      mass += top_k_signals(10, false).reduce({.logits = logits})[0][1].item<double>() /
              static_cast<double>(ids.size()) / 5;
    }
  }
  EXPECT_NEAR(number(json, "chosen"), chosen, 1e-9);
  EXPECT_NEAR(number(json, "rejected"), rejected, 1e-9);
  EXPECT_NEAR(number(json, "mass"), mass, 1e-9);
  EXPECT_GT(number(json, "diversity"), 0);
}

}  // namespace
}  // namespace attune::diagnostics
