#include "attune/stats/logistic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/random.h"

namespace attune {
namespace {

SparseRows rows_of(const std::vector<std::vector<double>>& dense) {
  SparseRows rows;
  for (const auto& row : dense) {
    std::vector<SparseRows::Entry> entries;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] != 0) entries.emplace_back(static_cast<std::uint32_t>(i), row[i]);
    }
    rows.add(entries);
  }
  return rows;
}

// One binary feature without penalty: the fit gives each cell its own share. 3 of 4 are 1 where x = 1: log-odds log 3;
// 1 of 5 where x = 0: log-odds -log 4.
TEST(Logistic, WithoutAPenaltyTheFitIsTheShareOfEachCell) {
  const SparseRows rows = rows_of({{1}, {1}, {1}, {1}, {0}, {0}, {0}, {0}, {0}});
  const std::vector<std::uint8_t> labels{1, 1, 1, 0, 1, 0, 0, 0, 0};
  const LogisticModel model = fit_logistic(rows, labels, {.l2 = 0});
  EXPECT_TRUE(model.converged);
  EXPECT_NEAR(model.log_odds(rows[0]), std::log(3), 1e-6);
  EXPECT_NEAR(model.log_odds(rows[8]), -std::log(4), 1e-6);
  // Balanced, a kind of 4 and one of 5 weigh the same: the odds are those of the densities, 3/4 over 1/5 and so on.
  const LogisticModel balanced = fit_logistic(rows, labels, {.l2 = 0, .balanced = true});
  EXPECT_NEAR(balanced.log_odds(rows[0]), std::log((3 / 4.0) / (1 / 5.0)), 1e-6);
  EXPECT_NEAR(balanced.log_odds(rows[8]), std::log((1 / 4.0) / (4 / 5.0)), 1e-6);
}

// At the maximum the residuals are orthogonal to the features up to the penalty: sum (y - p) x = l2 w, sum (y - p) = 0.
TEST(Logistic, SatisfiesTheEquationsOfTheMaximumOnManyFeatures) {
  constexpr std::size_t width = 40, count = 300;
  Random random(1, "logistic");
  std::vector<std::vector<double>> dense(count, std::vector<double>(width));
  std::vector<std::uint8_t> labels;
  for (auto& row : dense) {
    double truth = 0.3;
    for (std::size_t i = 0; i < width; ++i) {
      row[i] = random.below(4) == 0 ? random.normal() : 0;
      truth += row[i] * (i % 3 == 0 ? 2 : -0.5);
    }
    labels.push_back(random.uniform() < 1 / (1 + std::exp(-truth)) ? 1 : 0);
  }
  const SparseRows rows = rows_of(dense);
  const double l2 = 0.7;
  const LogisticModel model = fit_logistic(rows, labels, {.l2 = l2, .tolerance = 1e-10});
  EXPECT_TRUE(model.converged);
  EXPECT_LT(model.iterations, 100);
  std::vector<double> sums(width, 0);
  double rest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double residual = labels[i] - 1 / (1 + std::exp(-model.log_odds(rows[i])));
    rest += residual;
    for (std::size_t k = 0; k < width; ++k) sums[k] += residual * dense[i][k];
  }
  EXPECT_NEAR(rest, 0, 1e-6);
  for (std::size_t k = 0; k < width; ++k) EXPECT_NEAR(sums[k], l2 * model.weights[k], 1e-6) << k;
}

TEST(Logistic, SeparableKindsStayFiniteUnderAPenalty) {
  const SparseRows rows = rows_of({{-1e3}, {-2e3}, {1e3}, {3e3}});
  const std::vector<std::uint8_t> labels{0, 0, 1, 1};
  const LogisticModel model = fit_logistic(rows, labels);
  EXPECT_TRUE(std::isfinite(model.log_odds(rows[3])));
  EXPECT_GT(model.log_odds(rows[2]), 0);
  EXPECT_LT(model.log_odds(rows[0]), 0);
}

TEST(Logistic, OneKindAloneIsABug) {
  const SparseRows rows = rows_of({{1}, {2}});
  EXPECT_THROW(fit_logistic(rows, std::vector<std::uint8_t>{1, 1}), InternalError);
  EXPECT_THROW(fit_logistic(rows, std::vector<std::uint8_t>{1}), InternalError);
}

}  // namespace
}  // namespace attune
