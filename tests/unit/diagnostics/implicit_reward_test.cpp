// Accuracy of rewards against brute-force counts, and scores from files.
#include "attune/diagnostics/implicit_reward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/diagnostics/score_file.h"
#include "support/temporary.h"
#include "unit/diagnostics/support.h"

namespace attune::diagnostics {
namespace {

using ::testing::HasSubstr;
using testing::number;
using testing::tiny_model;

TEST(RewardAccuracy, EqualsBruteForceCountsOnRandomRewardsWithTies) {
  std::vector<Sides> first, second;
  double right = 0, other = 0;
  std::int64_t only_first = 0, only_second = 0;
  for (std::int64_t i = 0; i < 3'000; ++i) {
    Random random(7, "rewards", {i});
    const auto draw = [&] { return static_cast<double>(random.below(5)); };  // one pair in five is a tie
    first.push_back({draw() + 0.5 * draw(), draw()});
    second.push_back({draw(), draw()});
    const Sides &a = first.back(), &b = second.back();
    right += a.chosen > a.rejected ? 1 : a.chosen < a.rejected ? 0 : 0.5;
    other += b.chosen > b.rejected ? 1 : b.chosen < b.rejected ? 0 : 0.5;
    only_first += a.chosen > a.rejected && !(b.chosen > b.rejected);
    only_second += b.chosen > b.rejected && !(a.chosen > a.rejected);
  }
  const RewardAccuracy accuracy = reward_accuracy(first, 0);
  EXPECT_DOUBLE_EQ(accuracy.accuracy, right / 3'000);
  EXPECT_LT(accuracy.interval.low, accuracy.accuracy);
  EXPECT_GT(accuracy.interval.high, accuracy.accuracy);
  const RewardGap gap = reward_gap(first, second, 0);
  EXPECT_NEAR(gap.gap, (right - other) / 3'000, 1e-12);
  EXPECT_EQ(gap.only_first, only_first);
  EXPECT_EQ(gap.only_second, only_second);
  EXPECT_GT(gap.interval.low, 0) << "the first reward is planted to be better";
  EXPECT_LT(gap.p, 1e-6);
}

TEST(RewardAccuracy, AModelThatEqualsItsReferenceScoresOneHalfEverywhere) {
  const LanguageModel model = tiny_model(testing::small_llama, at::kDouble, 1);
  Subject subject{.models = {testing::source_of(model)}};
  subject.reference = testing::source_of(model);
  subject.data.push_back({.name = "home", .records = testing::random_pairs(6)});
  subject.data.push_back({.name = "away", .records = testing::random_pairs(9, 4)});
  const Json json = testing::diagnostic("dpo-implicit-rm-generalization")->run(subject).json;
  ASSERT_EQ(json.find("splits")->size(), 2U);
  for (const Json& split : json.find("splits")->items()) {
    EXPECT_DOUBLE_EQ(number(*split.find("implicit"), "accuracy"), 0.5);
    EXPECT_DOUBLE_EQ(number(split, "drop"), 0);
  }
}

class ScoreFile : public ::testing::Test {
 protected:
  std::vector<Sides> read(const std::string& text) {
    write_durably(disk(), directory_ / "scores.jsonl", text);
    return read_scores(directory_ / "scores.jsonl", records_, compared_pairs(records_));
  }
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing was refused";
  }
  testing::TemporaryDirectory directory_;
  std::vector<TokenRecord> records_ = testing::random_pairs(2);
};

TEST_F(ScoreFile, RowsInAnyOrderAreFoundByRecordAndCompletion) {
  records_[1].id = "b";
  const auto scores = read(R"({"record": "b", "completion": 1, "score": -2, "more": []}
{"record": 0, "completion": 0, "score": 1.5}
{"record": 0, "completion": 1, "score": 0}
{"record": "b", "completion": 0, "score": 4})");
  EXPECT_EQ(scores[0].chosen, 1.5);
  EXPECT_EQ(scores[1].chosen, 4);
  EXPECT_EQ(scores[1].rejected, -2);
}

TEST_F(ScoreFile, WhatIsMissingOrOfAnotherShapeIsRefusedByLine) {
  EXPECT_THAT(refusal(R"({"record": 0, "completion": 0, "score": 1})"), HasSubstr("no score of completion 1"));
  EXPECT_THAT(refusal("\n{\"record\": 0, \"completion\": 0}"), HasSubstr("scores.jsonl:2"));
  EXPECT_THAT(refusal("{\"record\": 0, \"completion\": \"secret\", \"score\": 1}"), HasSubstr("another type"));
  EXPECT_THAT(refusal("{\"record\": "), HasSubstr("scores.jsonl:1"));
}

TEST_F(ScoreFile, TheDatasOwnScoresServeToo) {
  records_[0].scores = {3, 1};
  EXPECT_THROW(data_scores(records_, compared_pairs(records_)), DataError);
  records_[1].scores = {0, 2};
  EXPECT_EQ(data_scores(records_, compared_pairs(records_))[1].rejected, 2);
  records_[1].scores[0] = NAN;
  EXPECT_THROW(data_scores(records_, compared_pairs(records_)), DataError);
}

}  // namespace
}  // namespace attune::diagnostics
