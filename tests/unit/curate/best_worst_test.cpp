// pairs/best-worst-of-n: which answers are compared, and that draws from it have the law that BoNBoN assumes.
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "unit/curate/support.h"

namespace attune {
namespace {

using testing::answered;
using testing::curated;

Record scored(const std::vector<double>& scores) {
  Record record = answered("p", std::vector<std::string>(scores.size(), "a"));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isnan(scores[i])) testing::rate(record, static_cast<std::int32_t>(i), "score", scores[i]);
  }
  return record;
}

// (chosen, rejected) of every comparison.
std::vector<std::pair<std::int32_t, std::int32_t>> compared(const Record& record) {
  std::vector<std::pair<std::int32_t, std::int32_t>> result;
  for (const Pair& pair : pairs(record)) result.emplace_back(pair.chosen, pair.rejected);
  return result;
}

TEST(BestWorstOfN, ComparesTheBestWithTheWorstOfEveryNScoredAnswers) {
  const double none = NAN;
  // Scored: 0, 2, 3, 4, 5, 6; in threes (0, 2, 3) and (4, 5, 6).
  const Curated result = curated({scored({1, none, 3, 2, 5, 9, 7})}, "[{pairs/best-worst-of-n: {n: 3}}]");
  EXPECT_EQ(compared(result.dataset.records[0]), (std::vector<std::pair<std::int32_t, std::int32_t>>{{2, 0}, {5, 4}}));
  EXPECT_EQ(pairs(result.dataset.records[0])[1].strength, 4);  // 9 - 5
  const Feedback& feedback = result.dataset.records[0].feedback.back();
  EXPECT_EQ(result.dataset.annotators.at(static_cast<std::size_t>(feedback.annotator)).kind, Annotator::rule);
}

TEST(BestWorstOfN, AllOfAPromptLeftOversAndTies) {
  const Curated all = curated({scored({1, 4, 3}), scored({2, 2}), scored({5})}, "[{pairs/best-worst-of-n: {n: 0}}]");
  ASSERT_EQ(all.dataset.records.size(), 1U);
  EXPECT_EQ(compared(all.dataset.records[0]), (std::vector<std::pair<std::int32_t, std::int32_t>>{{1, 0}}));
  EXPECT_EQ(all.steps[0].counts,
            (std::map<std::string, std::int64_t>{
                {"answers left over", 1}, {"comparisons", 1}, {"dropped: no comparison", 2}, {"ties", 1}}));
  EXPECT_THROW(curated({scored({1, 2})}, "[{pairs/best-worst-of-n: {n: 4}}]"), DataError);
  EXPECT_THROW(testing::operators_of("[{pairs/best-worst-of-n: {n: 1}}]")[0]->check(), ConfigError);
  EXPECT_THROW(curated({scored({1, 2})}, "[{pairs/best-worst-of-n: {n: 2, attribute: charm}}]"), ConfigError);
}

// Gui et al. 2024: with u the answers' places in the reference's order, the mean of (n - 1) (log u of the best - log u
// of the worst) is (n - 1) H_{n - 1}, the gap that the objective's square pulls log-ratios to.
TEST(BestWorstOfN, OfUniformDrawsHasTheMeanGapThatBonbonAimsAt) {
  for (const auto& [n, gap] : {std::pair{2, 1.0}, std::pair{4, 5.5}, std::pair{8, 18.15}}) {
    std::vector<Record> records;
    constexpr int draws = 4000;
    Random random(2, "uniform");
    for (int i = 0; i < draws; ++i) {
      std::vector<double> scores;
      for (int k = 0; k < n; ++k) scores.push_back(random.uniform());
      records.push_back(scored(scores));
    }
    const Curated result = curated(records, "[{pairs/best-worst-of-n: {n: " + std::to_string(n) + "}}]");
    EXPECT_NEAR(result.steps[0].findings.find("target_gap")->number(), gap, 1e-12);
    double sum = 0, squares = 0;
    for (const Record& record : result.dataset.records) {
      const auto [best, worst] = compared(record).front();
      const auto u = [&](std::int32_t answer) {
        return std::get<Rating>(record.feedback[static_cast<std::size_t>(answer)].what).value;
      };
      const double value = (n - 1) * std::log(u(best) / u(worst));
      sum += value;
      squares += value * value;
    }
    const double mean = sum / draws, error = std::sqrt((squares / draws - mean * mean) / draws);
    EXPECT_LT(std::abs(mean - gap), 4 * error) << n;
  }
}

}  // namespace
}  // namespace attune
