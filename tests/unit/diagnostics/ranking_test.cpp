// Ranking accuracy: what the loss says about it, its optimum, and the flips.
#include "attune/diagnostics/ranking.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "unit/diagnostics/support.h"

namespace attune::diagnostics {
namespace {

using testing::number;
using testing::share;

TEST(Ranking, APairIsRankedRightExactlyWhenItsLossIsAtMostTheBound) {
  for (std::int64_t i = 0; i < 20'000; ++i) {
    Random random(1, "logps", {i});
    const RankedPair pair{.policy = 20 * random.normal(), .reference = 20 * random.normal()};
    const double beta = std::pow(10, -3 * random.uniform());
    EXPECT_EQ(ranks_right(pair.policy), dpo_loss(pair, beta) <= loss_bound(pair, beta))
        << pair.policy << " " << pair.reference << " " << beta;
  }
}

TEST(Ranking, TheBoundOfAWronglyRankedPairIsBelowLogTwoAndShrinksWithItsDifficulty) {
  EXPECT_DOUBLE_EQ(loss_bound({.reference = 0}, 0.1), std::log(2.0));
  EXPECT_LT(loss_bound({.reference = -1}, 0.1), std::log(2.0));
  // For a large difficulty log(1 + exp(-beta c)) is exp(-beta c).
  EXPECT_NEAR(loss_bound({.reference = -300}, 0.1) / std::exp(-30.0), 1, 1e-12);
}

// pi* = ref exp(r / beta) / Z, annotators by Bradley-Terry on r.
TEST(Ranking, AtTheClosedFormOptimumObservedEqualsIdealised) {
  constexpr std::int64_t answers = 6;
  constexpr double beta = 0.3;
  Random random(2, "table");
  std::vector<double> reward, reference;
  for (std::int64_t i = 0; i < answers; ++i) {
    reward.push_back(random.normal());
    reference.push_back(3 * random.normal());
  }
  const Tensor ref = at::log_softmax(at::tensor(reference, at::kDouble), 0);
  const Tensor optimum = at::log_softmax(ref + at::tensor(reward, at::kDouble) / beta, 0);
  std::vector<RankedPair> pairs;
  for (std::int64_t c = 0; c < answers; ++c) {
    for (std::int64_t r = 0; r < answers; ++r) {
      const double gap = reward[static_cast<std::size_t>(c)] - reward[static_cast<std::size_t>(r)];
      if (gap <= 0) continue;
      pairs.push_back({.policy = (optimum[c] - optimum[r]).item<double>(),
                       .reference = (ref[c] - ref[r]).item<double>(),
                       .share = 1 / (1 + std::exp(-gap))});
      EXPECT_NEAR(idealised_difference(pairs.back(), beta), pairs.back().policy, 1e-10);
    }
  }
  const RankingAccuracy accuracy = ranking_accuracy(pairs, beta);
  EXPECT_EQ(accuracy.policy.value(), accuracy.idealised.value());
  EXPECT_EQ(accuracy.gap(), 0);
  EXPECT_LT(accuracy.reference.value(), 1) << "the table must have something to flip";
  EXPECT_EQ(accuracy.implicit_reward.value(), 1);
}

TEST(Ranking, UnanimousPairsAreRightAtTheOptimumHoweverHard) {
  const std::vector<RankedPair> pairs = {{.policy = -5, .reference = -1e6, .share = 1}};
  EXPECT_EQ(ranking_accuracy(pairs, 0.1).idealised.value(), 1);
  EXPECT_EQ(ranking_accuracy(pairs, 0.1).gap(), 1);
}

TEST(Ranking, TheFlipTableCountsEveryPairOnceAndNeverMixesRightWithWrong) {
  std::vector<RankedPair> pairs = {
      {.policy = 1, .reference = -2}, {.policy = -1, .reference = 0}, {.policy = 3, .reference = 0.5}};
  for (std::int64_t i = 0; i < 500; ++i) {
    Random random(4, "pairs", {i});
    pairs.push_back({.policy = random.normal(), .reference = random.normal()});
  }
  std::int64_t sum = 0;
  for (const FlipRow& row : flip_table(pairs, 8)) {
    sum += row.pairs();
    EXPECT_TRUE(row.right_to_right + row.right_to_wrong == 0 || row.wrong_to_right + row.wrong_to_wrong == 0);
    EXPECT_TRUE(row.to <= 0 || row.from >= 0);
  }
  EXPECT_EQ(sum, 503);
  const auto rows = flip_table(std::span(pairs).first(3), 2);
  EXPECT_EQ(rows[0].right_to_wrong, 1);  // the tie, difficulty 0, counts as right before
  EXPECT_EQ(rows[0].right_to_right, 1);
  EXPECT_EQ(rows[1].wrong_to_right, 1);
}

TEST(ComparedPairs, VotesOnTwoAnswersAreTakenTogetherAndTheMajorityChooses) {
  TokenRecord record = testing::pair_record({1, 2}, {3}, {4, 5});
  record.preferences = {{.chosen = 0, .rejected = 1},
                        {.chosen = 1, .rejected = 0},
                        {.chosen = 1, .rejected = 0, .weight = 2, .probability = 0.75}};
  const std::vector<TokenRecord> records = {record};
  const auto pairs = compared_pairs(records);
  ASSERT_EQ(pairs.size(), 1U);
  EXPECT_EQ(pairs[0].chosen, 1);
  EXPECT_EQ(pairs[0].votes, 4);
  EXPECT_DOUBLE_EQ(pairs[0].share, 2.5 / 4);  // 1 + 2 * 0.75 of 4
  EXPECT_THROW(compared_pairs(std::vector<TokenRecord>{TokenRecord{.prompt = {1}}}), DataError);
}

TEST(RankingAccuracyGap, EqualsCountingTheLogProbabilitiesOfWholeSequences) {
  const LanguageModel model = testing::tiny_model(testing::small_llama, at::kDouble, 1);
  const LanguageModel reference = testing::tiny_model(testing::small_llama, at::kDouble, 2);
  const auto records = testing::random_pairs(40);
  double right = 0, before = 0, gained = 0;
  for (const TokenRecord& record : records) {
    const auto difference = [&](const LanguageModel& of) {
      return testing::brute_force_logp(of, record.prompt, record.completions[0].ids) -
             testing::brute_force_logp(of, record.prompt, record.completions[1].ids);
    };
    right += difference(model) >= 0 ? 1 : 0;
    before += difference(reference) >= 0 ? 1 : 0;
    gained += difference(model) > difference(reference) ? 1 : 0;
  }
  Subject subject{.models = {testing::source_of(model)}, .batch_tokens = 50};
  subject.reference = testing::source_of(reference);
  subject.data.push_back({.name = "pairs", .records = records});
  const Json json = testing::diagnostic("ranking-accuracy-gap")->run(subject).json;
  EXPECT_DOUBLE_EQ(share(json, "observed"), right / 40);
  EXPECT_DOUBLE_EQ(share(json, "reference"), before / 40);
  EXPECT_DOUBLE_EQ(share(json, "implicit_reward"), gained / 40);
  EXPECT_DOUBLE_EQ(share(json, "idealised"), 1);  // one vote a pair, taken for all annotators
  EXPECT_DOUBLE_EQ(number(json, "gap"), 1 - right / 40);
  const Json& flips = *json.find("flips");
  EXPECT_EQ(number(flips, "right_to_right") + number(flips, "wrong_to_right"), right);
}

}  // namespace
}  // namespace attune::diagnostics
