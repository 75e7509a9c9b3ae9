// Accuracy of rewards against brute-force counts, and scores from files.
#include "attune/diagnostics/implicit_reward.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
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

// Pairs whose chosen answer ends in a low token: a rule of two features, prompts of one length.
std::vector<TokenRecord> ruled_pairs(std::size_t count, std::int64_t prompt, std::uint64_t seed) {
  std::vector<TokenRecord> records;
  for (std::size_t i = 0; i < count; ++i) {
    Random random(seed, "rule", {static_cast<std::int64_t>(i)});
    auto chosen = testing::random_ids(random, 2), rejected = testing::random_ids(random, 2);
    chosen.push_back(static_cast<std::int32_t>(random.below(8)));
    rejected.push_back(static_cast<std::int32_t>(40 + random.below(8)));
    records.push_back(testing::pair_record(testing::random_ids(random, prompt), chosen, rejected));
    records.back().row = static_cast<std::int64_t>(i);
  }
  return records;
}

Tensor last_state(const LanguageModel& model, const TokenRecord& record, std::size_t side) {
  std::vector<std::int32_t> ids = record.prompt;
  ids.insert(ids.end(), record.completions[side].ids.begin(), record.completions[side].ids.end());
  const std::vector<std::vector<std::int32_t>> sequences = {ids};
  return model.hidden(forest_of_sequences(sequences)).detach()[-1];
}

// An explicit reward: a linear head on the last token's state, fitted by the Bradley-Terry loss.
Tensor fitted_head(const LanguageModel& model, const std::vector<TokenRecord>& records) {
  std::vector<Tensor> rows;
  for (const auto& record : records) rows.push_back(last_state(model, record, 0) - last_state(model, record, 1));
  const Tensor differences = at::stack(rows);
  Tensor head = at::zeros({differences.size(1)}, at::kDouble);
  for (int step = 0; step < 200; ++step) {
    const Tensor wrong = at::sigmoid(-at::matmul(differences, head)).unsqueeze(1);
    head = head + 0.1 * (wrong * differences).mean(0);
  }
  return head;
}

TEST(RewardAccuracy, BothRewardsFitTheTrainingSplitAndTheGapOnLongerPromptsComesWithItsInterval) {
  const LanguageModel start = tiny_model(testing::small_llama, at::kDouble, 1);
  const auto home = ruled_pairs(24, 2, 1), away = ruled_pairs(60, 24, 2);
  const LanguageModel trained = testing::learn_pairs(start, home, 12, 0.1);
  const Tensor head = fitted_head(start, home);
  const testing::TemporaryDirectory directory;
  const auto write = [&](const char* name, const std::vector<TokenRecord>& records) {
    std::string text;
    double right = 0;
    for (const TokenRecord& record : records) {
      double scores[2];
      for (std::size_t side = 0; side < 2; ++side) {
        scores[side] = (head * last_state(start, record, side)).sum().item<double>();
        text += Json::object({{"record", record.row}, {"completion", side}, {"score", scores[side]}}).str() + "\n";
      }
      right += scores[0] > scores[1] ? 1 : 0;
    }
    write_durably(disk(), directory / name, text);
    return right / static_cast<double>(records.size());
  };
  const double home_right = write("home.jsonl", home), away_right = write("away.jsonl", away);
  Subject subject{.models = {testing::source_of(trained)}};
  subject.reference = testing::source_of(start);
  subject.data = {{.name = "home", .records = home}, {.name = "away", .records = away}};
  const std::string files =
      "scores=[" + (directory / "home.jsonl").string() + "," + (directory / "away.jsonl").string() + "]";
  const Json json = testing::diagnostic("dpo-implicit-rm-generalization", {"explicit=files", files})->run(subject).json;
  const auto& splits = json.find("splits")->items();
  const auto accuracy = [&](std::size_t split, const char* reward) {
    return number(*splits[split].find(reward), "accuracy");
  };
  EXPECT_DOUBLE_EQ(accuracy(0, "explicit"), home_right);
  EXPECT_DOUBLE_EQ(accuracy(1, "explicit"), away_right);
  EXPECT_LE(std::abs(accuracy(0, "explicit") - accuracy(0, "implicit")), 0.02);
  EXPECT_GE(accuracy(0, "implicit"), 0.98);
  const double gap = number(splits[1], "gap");
  const auto& interval = splits[1].find("gap_interval")->items();
  EXPECT_NEAR(gap, accuracy(1, "explicit") - accuracy(1, "implicit"), 1e-12);
  EXPECT_LE(interval[0].number(), gap);
  EXPECT_GE(interval[1].number(), gap);
  EXPECT_LT(interval[0].number(), interval[1].number());
  RecordProperty("away_explicit_implicit",
                 std::to_string(accuracy(1, "explicit")) + " " + std::to_string(accuracy(1, "implicit")));
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
  records_[0].labels = {{.score = 3}, {.score = 1}};
  EXPECT_THROW(data_scores(records_, compared_pairs(records_)), DataError);
  records_[1].labels = {{.score = 0}, {.score = 2}};
  EXPECT_EQ(data_scores(records_, compared_pairs(records_))[1].rejected, 2);
  records_[1].labels[0].score = NAN;
  EXPECT_THROW(data_scores(records_, compared_pairs(records_)), DataError);
}

}  // namespace
}  // namespace attune::diagnostics
