// What several people's words about the completions of a record come to.
#include "attune/train/labels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/objectives/reward.h"

namespace attune {
namespace {

Record record_of(std::size_t completions) {
  Record record;
  record.completions.resize(completions);
  return record;
}
void rate(Record& record, std::int32_t completion, const char* attribute, double value, double weight = 1) {
  record.feedback.push_back({.what = Rating{attribute, value}, .on = {.completion = completion}, .weight = weight});
}
void rank(Record& record, const std::vector<std::vector<std::int32_t>>& tiers) {
  Ranking ranking;
  for (const auto& tier : tiers) {
    ranking.tiers.emplace_back();
    for (const std::int32_t completion : tier) ranking.tiers.back().push_back({.completion = completion});
  }
  record.feedback.push_back({.what = ranking});
}

TEST(Labels, RatingsOfSeveralPeopleAreTheirWeightedMean) {
  Record record = record_of(2);
  rate(record, 0, "score", 4, 3);
  rate(record, 0, "score", 2, 1);
  const auto said = feedback_labels(record, "score");
  EXPECT_DOUBLE_EQ(said.labels.at(0).score, 3.5);
  EXPECT_DOUBLE_EQ(said.labels.at(0).weight, 2);
  EXPECT_TRUE(std::isnan(said.labels.at(1).score));
  EXPECT_DOUBLE_EQ(said.labels.at(1).weight, 1);
  EXPECT_TRUE(said.thumbs.empty());
}

TEST(Labels, OtherAttributesStepsAndSupersededRatingsAreNoScores) {
  Record record = record_of(1);
  rate(record, 0, "helpfulness", 1);
  rate(record, 0, "correctness", 5);
  record.feedback.push_back({.what = Rating{"helpfulness", 9}, .on = {.completion = 0, .step = 2}});
  record.feedback.push_back({.what = Rating{"helpfulness", 3}, .on = {.completion = 0}, .supersedes = 0});
  EXPECT_DOUBLE_EQ(feedback_labels(record, "helpfulness").labels.at(0).score, 3);
}

TEST(Labels, ARankingScoresARecordThatNobodyRated) {
  Record record = record_of(4);
  rank(record, {{2}, {0, 1}, {3}});
  const auto ranked = feedback_labels(record, "score").labels;
  EXPECT_DOUBLE_EQ(ranked.at(2).score, 0);
  EXPECT_DOUBLE_EQ(ranked.at(0).score, -1);
  EXPECT_DOUBLE_EQ(ranked.at(1).score, -1);
  EXPECT_DOUBLE_EQ(ranked.at(3).score, -2);
  rank(record, {{3}, {2}});
  EXPECT_DOUBLE_EQ(feedback_labels(record, "score").labels.at(3).score, -1);  // of 2 and 0
  rate(record, 1, "score", 7);
  const auto rated = feedback_labels(record, "score").labels;
  EXPECT_DOUBLE_EQ(rated.at(1).score, 7);
  EXPECT_TRUE(std::isnan(rated.at(2).score));
}

TEST(Labels, ThumbsOfSeveralPeopleAreTheirMajority) {
  Record record = record_of(3);
  rate(record, 0, "thumb", 1);
  rate(record, 0, "thumb", 0);
  rate(record, 0, "thumb", 0);
  rate(record, 1, "thumb", 1);
  rate(record, 1, "thumb", 0);
  rate(record, 2, "thumb", 1, 0.5);
  const auto said = feedback_labels(record, "");
  EXPECT_EQ(said.thumbs, (std::vector<std::int8_t>{-1, 0, 1}));
  EXPECT_DOUBLE_EQ(said.labels.at(2).weight, 0.5);
  EXPECT_TRUE(std::isnan(said.labels.at(2).score));
}

TEST(Labels, TheSamplersLogProbabilityAndTheDegreeComeAlong) {
  Record record = record_of(2);
  record.feedback.push_back({.what = Signal{"logp", -12.5}, .on = {.completion = 1}});
  record.feedback.push_back({.what = Label{"degree", "2"}, .on = {.completion = 0}});
  record.feedback.push_back({.what = Label{"degree", "much"}, .on = {.completion = 1}});
  const auto labels = feedback_labels(record, "").labels;
  EXPECT_DOUBLE_EQ(labels.at(1).behaviour_logp, -12.5);
  EXPECT_EQ(labels.at(0).level, 2);
  EXPECT_EQ(labels.at(1).level, -1);
}

TEST(Labels, TheScoreIsTheAttributeAskedForOrNamedScoreOrTheFirstOne) {
  Dataset dataset;
  dataset.records.push_back(record_of(1));
  EXPECT_EQ(score_attribute(dataset), "");
  rate(dataset.records[0], 0, "thumb", 1);
  rate(dataset.records[0], 0, "helpfulness", 1);
  rate(dataset.records[0], 0, "correctness", 1);
  EXPECT_EQ(score_attribute(dataset), "helpfulness");
  EXPECT_EQ(score_attribute(dataset, "correctness"), "correctness");
  dataset.records.push_back(record_of(1));
  rate(dataset.records[1], 0, "score", 1);
  EXPECT_EQ(score_attribute(dataset), "score");
  try {
    score_attribute(dataset, "humour");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.problem().where.field, "data.attribute");
    EXPECT_EQ(error.problem().expected, "one of helpfulness, correctness, score");
  }
}

void compare(Record& record, std::int32_t a, std::int32_t b, Outcome outcome, std::optional<double> strength = {},
             double weight = 1) {
  record.feedback.push_back(
      {.what = Comparison{{.completion = a}, {.completion = b}, outcome, strength}, .weight = weight});
}

TEST(Ballots, CountWhatEveryoneSaidOfTwoAnswersFromTheMajoritysSide) {
  Record record = record_of(3);
  compare(record, 0, 1, Outcome::a, 1);  // 0 slightly
  compare(record, 1, 0, Outcome::a, 2);  // 1 clearly
  compare(record, 1, 0, Outcome::a);     // 1, nobody says by how much
  compare(record, 0, 1, Outcome::both_bad);
  compare(record, 0, 1, Outcome::unsure);  // says nothing
  const auto all = ballots(record);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].chosen, 1);
  EXPECT_EQ(all[0].rejected, 0);
  EXPECT_DOUBLE_EQ(all[0].probability, 2.5 / 4);
  EXPECT_DOUBLE_EQ(all[0].margin, (2.0 - 1 + 0 + 0) / 4);
  EXPECT_EQ(all[0].votes, (std::array<double, vote_kinds>{0, 1, 1, 0, 1, 0, 1}));
}

TEST(Ballots, AreOneForEachTwoAnswersAndWeighTheirVotes) {
  Record record = record_of(3);
  compare(record, 2, 0, Outcome::b, 3, 2);
  compare(record, 0, 2, Outcome::b, 1, 0.5);
  compare(record, 1, 2, Outcome::tie);
  const auto all = ballots(record);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].chosen, 0);
  EXPECT_DOUBLE_EQ(all[0].probability, 0.8);
  EXPECT_DOUBLE_EQ(all[0].weight, 1.25);
  EXPECT_DOUBLE_EQ(all[0].margin, (3 * 2 - 1 * 0.5) / 2.5);
  EXPECT_EQ(all[1].chosen, 1);  // even votes: the first
  EXPECT_DOUBLE_EQ(all[1].probability, 0.5);
}

TEST(Ballots, WhatALaterCommentSupersedesAndVotesOfNoWeightDoNotCount) {
  Record record = record_of(2);
  compare(record, 0, 1, Outcome::a);
  compare(record, 0, 1, Outcome::b);
  record.feedback.back().supersedes = 0;
  compare(record, 0, 1, Outcome::a, {}, 0);
  const auto all = ballots(record);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].chosen, 1);
  EXPECT_DOUBLE_EQ(all[0].probability, 1);
}

TEST(Ballots, ASingleVoteKnowsWhatAllSaidOfItsPair) {
  Record record = record_of(3);
  compare(record, 0, 1, Outcome::a);
  compare(record, 1, 0, Outcome::a);
  compare(record, 0, 1, Outcome::a);
  const auto all = ballots(record);
  const auto of = [](const std::array<double, vote_kinds>& votes, PairVote vote) {
    return votes[static_cast<std::size_t>(vote)];
  };
  const auto for_0 = votes_on({.chosen = 0, .rejected = 1}, all), for_1 = votes_on({.chosen = 1, .rejected = 0}, all);
  EXPECT_EQ(of(for_0, PairVote::chosen), 2);
  EXPECT_EQ(of(for_0, PairVote::rejected), 1);
  EXPECT_EQ(of(for_1, PairVote::chosen), 1);
  EXPECT_EQ(of(for_1, PairVote::rejected), 2);
  EXPECT_EQ(votes_on({.chosen = 0, .rejected = 2}, all), (std::array<double, vote_kinds>{}));
}

TEST(LabelColumns, TellTheSourceOfAnAnswer) {
  Record record = record_of(2);
  record.nodes = {{.source = 3}, {.parent = 0, .source = 5}};
  record.completions[1] = {0, 1};
  const auto found =
      label_columns(record, std::vector<LabelColumn>{{.attribute = std::string(objectives::source_column)}});
  EXPECT_EQ(found.at(0).at(0), -1);
  EXPECT_EQ(found.at(1).at(0), 5);
}

TEST(LabelColumns, AreMeanRatingsAndTheSharesOfALevel) {
  Record record = record_of(2);
  rate(record, 0, "helpfulness", 3);
  rate(record, 0, "helpfulness", 4, 3);
  rate(record, 1, "verbosity", 1);
  const std::vector<LabelColumn> columns{{.attribute = "helpfulness"}, {.attribute = "helpfulness", .level = 4}};
  const auto found = label_columns(record, columns);
  EXPECT_DOUBLE_EQ(found.at(0).at(0), 3.75);
  EXPECT_DOUBLE_EQ(found.at(0).at(1), 0.75);
  EXPECT_TRUE(std::isnan(found.at(1).at(0)) && std::isnan(found.at(1).at(1)));
  EXPECT_TRUE(label_columns(record, {}).empty());
}

}  // namespace
}  // namespace attune
