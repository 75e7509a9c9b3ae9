// The gradient field: autograd's partials against the analytic ones, and against finite differences of every objective.
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/diagnostics/partials.h"
#include "unit/diagnostics/support.h"

namespace attune::diagnostics {
namespace {

using testing::number;
using testing::tiny_model;

PairPoint random_point(std::int64_t i) {
  Random random(9, "points", {i});
  const auto logp = [&] { return -1 - 20 * random.uniform(); };
  return {.policy = {logp(), logp()},
          .reference = {logp(), logp()},
          .lengths = {1 + static_cast<double>(random.below(9)), 1 + static_cast<double>(random.below(9))}};
}

// dL/dx1 = -b x2^b / (x1 (x1^b + x2^b)), dL/dx2 = b x2^(b-1) / (x1^b + x2^b), |dL/dx1| / |dL/dx2| = x2 / x1.
TEST(Field, DpoPartialsAreTheAnalyticOnesAndTheRatioIdentityHolds) {
  constexpr double b = 0.1;
  const auto dpo = objective_named("dpo");
  for (std::int64_t i = 0; i < 300; ++i) {
    const PairPoint point = random_point(i);
    const PairPartials found = pair_partials(dpo, std::span(&point, 1))[0];
    const double x1 = std::exp(point.policy.chosen - point.reference.chosen);
    const double x2 = std::exp(point.policy.rejected - point.reference.rejected);
    const double sum = std::pow(x1, b) + std::pow(x2, b);
    const double by_x1 = found.partial.chosen / x1, by_x2 = found.partial.rejected / x2;
    EXPECT_NEAR(found.loss, -std::log(std::pow(x1, b) / sum), 1e-10);
    EXPECT_NEAR(by_x1 / (-b * std::pow(x2, b) / (x1 * sum)), 1, 1e-6);
    EXPECT_NEAR(by_x2 / (b * std::pow(x2, b - 1) / sum), 1, 1e-6);
    EXPECT_NEAR(std::abs(by_x1) / std::abs(by_x2) / (x2 / x1), 1, 1e-6);
  }
}

TEST(Field, PartialsOfEveryRegisteredPairObjectiveAreItsFiniteDifferences) {
  int looked_at = 0;
  for (const auto& row : part_rows<Objective>()) {
    const Choice<Objective> objective(row);
    try {
      for (std::int64_t i = 0; i < 5; ++i) {
        const PairPoint point = random_point(i);
        const auto loss = [&](double chosen, double rejected) {
          PairPoint moved = point;
          moved.policy = {moved.policy.chosen + chosen, moved.policy.rejected + rejected};
          return pair_partials(objective, std::span(&moved, 1))[0].loss;
        };
        constexpr double h = 1e-5;
        const PairPartials found = pair_partials(objective, std::span(&point, 1))[0];
        const double by_chosen = (loss(h, 0) - loss(-h, 0)) / (2 * h),
                     by_rejected = (loss(0, h) - loss(0, -h)) / (2 * h);
        EXPECT_NEAR(found.partial.chosen, by_chosen, 1e-5 * (1 + std::abs(by_chosen))) << row.path;
        EXPECT_NEAR(found.partial.rejected, by_rejected, 1e-5 * (1 + std::abs(by_rejected))) << row.path;
      }
      ++looked_at;
    } catch (const ConfigError&) {
      continue;  // it does not learn from two log-probabilities
    }
  }
  RecordProperty("objectives", looked_at);
  EXPECT_GE(looked_at, 2);
}

TEST(Field, TheGridNeedsNoModelAndDpoPushesDownHarderWhereverTheChosenGained) {
  const ReportPage page = testing::diagnostic("dpo-field-analysis")->run({});
  EXPECT_EQ(page.json.find("grid")->size(), 81U);
  EXPECT_DOUBLE_EQ(testing::share(page.json, "pushes_down_more_where_preferred"), 1);
  EXPECT_EQ(page.plots.front().arrows.size(), 81U);
  for (const Json& point : page.json.find("grid")->items()) {
    EXPECT_NEAR(number(point, "d_log_x1"), -number(point, "d_log_x2"), 1e-12);
    EXPECT_NEAR(number(point, "d_x1") * std::exp(number(point, "log_x1")), number(point, "d_log_x1"), 1e-12);
  }
}

TEST(Field, PairsOfTheDataStandAtTheirLogRatios) {
  const LanguageModel model = tiny_model(testing::small_llama, at::kDouble, 1);
  const LanguageModel reference = tiny_model(testing::small_llama, at::kDouble, 2);
  const auto records = testing::random_pairs(5);
  Subject subject{.models = {testing::source_of(model)}};
  subject.data.push_back({.name = "pairs", .records = records});
  EXPECT_THROW(testing::diagnostic("dpo-field-analysis")->run(subject), ConfigError);
  subject.reference = testing::source_of(reference);
  const Json json = testing::diagnostic("dpo-field-analysis")->run(subject).json;
  const auto ratio = [&](const TokenRecord& record, std::size_t side) {
    return testing::brute_force_logp(model, record.prompt, record.completions[side].ids) -
           testing::brute_force_logp(reference, record.prompt, record.completions[side].ids);
  };
  double sum = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const Json& row = json.find("by_pair")->items()[i];
    EXPECT_NEAR(number(row, "log_x1"), ratio(records[i], 0), 1e-9);
    EXPECT_NEAR(number(row, "log_x2"), ratio(records[i], 1), 1e-9);
    sum += ratio(records[i], 1) - ratio(records[i], 0);
  }
  EXPECT_NEAR(number(json, "mean_log_ratio"), sum / 5, 1e-9);
}

}  // namespace
}  // namespace attune::diagnostics
