// What every loss on pairs logs beside its terms.
#include <gtest/gtest.h>

#include <cmath>

#include "support/pairs.h"

namespace attune {
namespace {

std::map<std::string, double> metrics_of(std::string_view objective, const testing::PairTable& table) {
  ObjectiveList list;
  list.emplace_back(*find_part<Objective>(objective));
  return table.step(list, 1).metrics;
}

TEST(PairMetrics, SayWhoIsLikelierWhoseChosenAnswerFellAndWhereThePairStandsInTheField) {
  const testing::PairTable table{.chosen = {-3, -5, -2, -4},
                                 .rejected = {-4, -4, -2, -9},
                                 .chosen_reference = {-2, -6, -2, -3},
                                 .rejected_reference = {-2, -6, -5, -3}};
  const auto metrics = metrics_of("dpo", table);
  EXPECT_DOUBLE_EQ(metrics.at("rankings/accuracies"), 3.0 / 4);  // right, wrong, a tie, right
  EXPECT_DOUBLE_EQ(metrics.at("logps/chosen_fell"), 2.0 / 4);    // the first and the last
  // log x2 - log x1: (-2) - (-1), 2 - 1, 3 - 0, (-6) - (-1)
  EXPECT_DOUBLE_EQ(metrics.at("field/log_ratios"), (-1.0 + 1 + 3 - 5) / 4);
  EXPECT_NEAR(metrics.at("rewards/margins"), -0.1 * metrics.at("field/log_ratios"), 1e-12);
}

TEST(PairMetrics, WithoutAReferenceOnlyTheRankingIsThere) {
  const auto metrics = metrics_of("simpo", {.chosen = {-3}, .rejected = {-4}});
  EXPECT_DOUBLE_EQ(metrics.at("rankings/accuracies"), 1);
  EXPECT_FALSE(metrics.contains("logps/chosen_fell"));
  EXPECT_FALSE(metrics.contains("field/log_ratios"));
}

}  // namespace
}  // namespace attune
