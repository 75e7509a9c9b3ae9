// Gradient entanglement: predictions against measured changes, the regimes, the token map.
#include "attune/diagnostics/entanglement.h"

#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/pow.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/diagnostics/partials.h"
#include "attune/objectives/pairwise.h"
#include "unit/diagnostics/support.h"

namespace attune::diagnostics {
namespace {

using testing::number;
using testing::tiny_model;

// Two losses of other kinds than DPO, so that the predictions are not about one formula: a length-normalised margin
// without a reference (SimPO) and a squared one (IPO).
class LengthMargin final : public Objective {
 public:
  void describe(Fields&) {}
  Needs needs() const override { return {}; }
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const auto sides = objectives::pair_sides(responses);
    const Tensor margin = sides.chosen / sides.chosen_length - sides.rejected / sides.rejected_length;
    Loss loss;
    loss.terms.push_back({.name = "simpo", .sum = -at::log_sigmoid(2 * margin - 0.5).sum(), .per = Per::pair});
    return loss;
  }
};
class SquaredMargin final : public Objective {
 public:
  void describe(Fields&) {}
  Needs needs() const override { return {.models = {"reference"}}; }
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const auto sides = objectives::pair_sides(responses, "reference");
    Loss loss;
    const Tensor margin = sides.chosen_log_ratio() - sides.rejected_log_ratio();
    loss.terms.push_back({.name = "ipo", .sum = (margin - 5).square().sum(), .per = Per::pair});
    return loss;
  }
};
constexpr Part<Objective> length_margin = make_part<Objective, LengthMargin>({});
constexpr Part<Objective> squared_margin = make_part<Objective, SquaredMargin>({});
constexpr PartRow<Objective> length_margin_row{"length-margin", &length_margin};
constexpr PartRow<Objective> squared_margin_row{"squared-margin", &squared_margin};

struct Pair {
  LanguageModel model;
  std::vector<TokenRecord> records;
  std::vector<ComparedPair> pairs;
  Tensor chosen_gradient, rejected_gradient;
  PairPoint point = {};

  explicit Pair(std::uint64_t seed)
      : model(tiny_model(testing::small_llama, at::kDouble, seed)), records(testing::random_pairs(1, seed)) {
    pairs = compared_pairs(records);
    model.parameters().require_gradients(true);
    chosen_gradient = logp_gradient(model, records, {.completion = 0});
    rejected_gradient = logp_gradient(model, records, {.completion = 1});
    point.policy = pair_logps(model, records, pairs, 4096)[0];
    point.reference = {point.policy.chosen - 1.5, point.policy.rejected + 0.75};
    point.lengths = pair_lengths(records, pairs)[0];
  }

  // What one step of gradient descent of this size does to both log-probabilities.
  Sides measured(const LossFactors& factors, double size) {
    const at::NoGradGuard off;
    const Tensor step = size * (factors.chosen * chosen_gradient - factors.rejected * rejected_gradient);
    Tensor flat = model.parameters().flat();
    flat.add_(step);
    const Sides after = pair_logps(model, records, pairs, 4096)[0];
    flat.sub_(step);
    return {(after.chosen - point.policy.chosen) / size, (after.rejected - point.policy.rejected) / size};
  }
};

LossFactors factors_of(const Choice<Objective>& objective, const PairPoint& point) {
  const PairPartials partials = pair_partials(objective, std::span(&point, 1))[0];
  return {-partials.partial.chosen, partials.partial.rejected};
}

TEST(Entanglement, PredictedChangesAreTheMeasuredOnesOfATinyStep) {
  const Choice<Objective> objectives[] = {objective_named("dpo"), Choice<Objective>(length_margin_row),
                                          Choice<Objective>(squared_margin_row)};
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Pair pair(seed);
    const PairGram gram = gram_of(pair.chosen_gradient, pair.rejected_gradient);
    for (const auto& objective : objectives) {
      const LossFactors factors = factors_of(objective, pair.point);
      const Sides predicted = predicted_change(gram, factors);
      const double size = 1e-6 / (factors.chosen + factors.rejected);
      const Sides measured = pair.measured(factors, size);
      EXPECT_NEAR(measured.chosen / predicted.chosen, 1, 1e-2) << objective.name() << " " << seed;
      EXPECT_NEAR(measured.rejected / predicted.rejected, 1, 1e-2) << objective.name() << " " << seed;
    }
  }
}

TEST(Entanglement, FactorsAreThoseOfThePapersTable) {
  const PairPoint point{.policy = {-3, -5}, .reference = {-4, -4.5}, .lengths = {4, 8}};
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const LossFactors dpo = factors_of(objective_named("dpo"), point);
  EXPECT_NEAR(dpo.chosen, 0.1 * sigmoid(-0.1 * 1.5), 1e-12);  // beta sigmoid(-beta (1 - -0.5))
  EXPECT_NEAR(dpo.rejected, dpo.chosen, 1e-12);
  const LossFactors simpo = factors_of(Choice<Objective>(length_margin_row), point);
  const double slope = 2 * sigmoid(-(2 * (-3.0 / 4 + 5.0 / 8) - 0.5));
  EXPECT_NEAR(simpo.chosen, slope / 4, 1e-12);
  EXPECT_NEAR(simpo.rejected, slope / 8, 1e-12);
  const LossFactors ipo = factors_of(Choice<Objective>(squared_margin_row), point);
  EXPECT_NEAR(ipo.chosen, 2 * (5 - 1.5), 1e-12);
}

TEST(Entanglement, TheRegimeIsThePapersCondition) {
  for (std::int64_t i = 0; i < 5'000; ++i) {
    Random random(6, "grams", {i});
    PairGram gram{.chosen = std::exp(random.normal()), .rejected = std::exp(random.normal())};
    gram.inner = (2 * random.uniform() - 1) * std::sqrt(gram.chosen * gram.rejected);
    const LossFactors factors{std::exp(random.normal()), std::exp(random.normal())};
    const double for_chosen = factors.chosen / factors.rejected * gram.chosen;
    const double for_rejected = factors.rejected / factors.chosen * gram.rejected;
    const Regime expected = gram.inner < std::min(for_chosen, for_rejected) ? Regime::good
                            : gram.inner < for_chosen                       ? Regime::both_rise
                                                                            : Regime::both_fall;
    EXPECT_EQ(regime_of(predicted_change(gram, factors)), expected);
    // Normalised, the condition is that the cosine is below 1.
    EXPECT_EQ(regime_of(predicted_change(gram, normalised_factors(gram, factors))), Regime::good);
  }
}

TEST(Entanglement, TheTokenMapSumsToTheInnerProduct) {
  Pair pair(4);
  const TokenGram map = token_gram(pair.model, pair.records, pair.pairs[0], 100);
  double sum = 0;
  for (const double value : map.values) sum += value;
  const PairGram gram = gram_of(pair.chosen_gradient, pair.rejected_gradient);
  EXPECT_NEAR(sum, gram.inner, 1e-9 * std::sqrt(gram.chosen * gram.rejected));
  EXPECT_EQ(map.rows, pair.records[0].scored_tokens[0]);
  EXPECT_EQ(token_gram(pair.model, pair.records, pair.pairs[0], 1).values.size(), 1U);
}

TEST(Entanglement, AnObjectiveThatLooksAtMoreThanTwoLogProbabilitiesIsRefused) {
  class Tokens final : public Objective {
   public:
    void describe(Fields&) {}
    Needs needs() const override { return {.tokens = true}; }
    Loss compute(const Responses&, const Statistics&, const Progress&) const override { return {}; }
  };
  static constexpr Part<Objective> part = make_part<Objective, Tokens>({});
  static constexpr PartRow<Objective> row{"tokens", &part};
  EXPECT_THROW(pair_partials(Choice<Objective>(row), std::vector<PairPoint>(1)), ConfigError);
}

TEST(GradientEntanglement, CountsEveryPairInOneRegimeAndLeavesWeightsAlone) {
  const LanguageModel model = tiny_model(testing::small_llama, at::kFloat, 1);
  const std::string hash = model.content_hash();
  Subject subject{.models = {testing::source_of(model)}};
  subject.data.push_back({.name = "pairs", .records = testing::random_pairs(6)});
  const ReportPage page = testing::diagnostic("gradient-entanglement")->run(subject);
  const Json& regimes = *page.json.find("regimes");
  double sum = 0;
  for (const auto& [name, value] : regimes.members()) sum += number(value, "share");
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(page.json.find("by_pair")->size(), 6U);
  EXPECT_EQ(page.json.find("token_maps")->size(), 1U);
  EXPECT_EQ(page.maps.size(), 1U);
  EXPECT_EQ(model.content_hash(), hash);
}

}  // namespace
}  // namespace attune::diagnostics
