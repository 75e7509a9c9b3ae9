#include "attune/reports/report.h"

#include <gmock/gmock.h>

#include <map>

#include "attune/base/json.h"
#include "attune/data/bytes.h"
#include "attune/data/rows.h"
#include "support/temporary.h"

namespace attune {
namespace {

ReportPage run(const char* name, const Dataset& dataset) { return find_part<Report>(name)->part->make()->run(dataset); }

Message plain(std::string text) { return {.role = Role::plain, .content = {{.text = std::move(text)}}}; }

// One record with a prompt and two answers of these texts.
Record two_answers(const std::string& a, const std::string& b) {
  Record record;
  record.nodes = {{-1, plain("p")}, {0, plain(a)}, {0, plain(b)}};
  record.completions = {{0, 1}, {0, 2}};
  return record;
}

void vote(Record& record, std::int32_t annotator, Outcome outcome, bool swapped = false) {
  const Target first{.completion = swapped ? 1 : 0}, second{.completion = swapped ? 0 : 1};
  record.feedback.push_back({.what = Comparison{first, second, outcome}, .annotator = annotator});
}

Dataset voted() {
  Dataset dataset;
  dataset.annotators = {{Annotator::human, "ann", {{"kind", "x"}}},
                        {Annotator::human, "bob", {{"kind", "x"}}},
                        {Annotator::model, "eve", {{"kind", "y"}}}};
  Record first = two_answers("long answer", "short");
  vote(first, 0, Outcome::a);
  vote(first, 1, Outcome::b, true);  // the same opinion, shown the other way round
  vote(first, 2, Outcome::b);
  Record second = two_answers("aa", "b");
  vote(second, 0, Outcome::tie);
  vote(second, 1, Outcome::tie);
  dataset.records = {first, second};
  return dataset;
}

TEST(Disagreement, CountsPairsOfVotesWhicheverWayTheAnswersWereShown) {
  // Item 1: ann and bob agree, eve with neither; item 2: ann and bob agree. 2 of 4 pairs.
  const Json json = run("disagreement", voted()).json;
  EXPECT_EQ(json.find("agreement")->find("n")->integer(), 4);
  EXPECT_DOUBLE_EQ(json.find("agreement")->find("share")->number(), 0.5);
  EXPECT_EQ(json.find("split_items")->integer(), 1);
  EXPECT_EQ(json.find("unanimous_items")->integer(), 1);
  // Votes 2 : 1 have -2/3 log2(2/3) - 1/3 log2(1/3) = 0.9183 bits, the other item none.
  EXPECT_NEAR(json.find("mean_entropy_bits")->number(), 0.9183 / 2, 1e-4);
  const Json& kind = *json.find("groups")->find("kind");
  EXPECT_DOUBLE_EQ(kind.find("inside")->find("share")->number(), 1);
  EXPECT_DOUBLE_EQ(kind.find("across")->find("share")->number(), 0);
  EXPECT_EQ(json.find("most_split")->items().at(0).find("record")->string(), "0");
}

TEST(Disagreement, SaysSoWhenNobodyJudgedTheSameItem) {
  Dataset dataset = voted();
  for (Record& record : dataset.records) record.feedback.resize(1);
  const ReportPage page = run("disagreement", dataset);
  EXPECT_THAT(page.lines.at(0), ::testing::HasSubstr("nothing can be said"));
  EXPECT_TRUE(page.json.find("agreement")->find("share")->is_null());
}

TEST(LengthBias, CountsCharactersNotBytes) {
  Dataset dataset;
  Record record = two_answers("\xC3\xA9\xC3\xA9", "abc");  // 4 bytes but 2 characters against 3
  vote(record, -1, Outcome::a);
  dataset.records = {record};
  const Json json = run("length-bias", dataset).json;
  EXPECT_DOUBLE_EQ(json.find("chosen_longer")->find("share")->number(), 0);
  EXPECT_DOUBLE_EQ(json.find("mean_characters_chosen")->number(), 2);
}

TEST(LengthBias, EveryDecidedPairStandsInOneBucketAndTiesInNone) {
  const Json json = run("length-bias", voted()).json;
  EXPECT_EQ(json.find("pairs")->integer(), 3);
  EXPECT_NEAR(json.find("chosen_longer")->find("share")->number(), 2.0 / 3, 1e-12);
  std::int64_t in_buckets = 0;
  for (const Json& row : json.find("by_ratio")->items()) in_buckets += row.find("n")->integer();
  EXPECT_EQ(in_buckets, 3);
}

TEST(Page, IsSelfContainedAndEscapesWhatPeopleWrote) {
  Dataset dataset = voted();
  dataset.annotators[0].traits[0].second = "<script>";
  const std::string html = html_of(run("disagreement", dataset));
  EXPECT_THAT(html, ::testing::HasSubstr("<svg"));
  EXPECT_THAT(html, ::testing::Not(::testing::HasSubstr("<script")));
  EXPECT_THAT(html, ::testing::Not(::testing::HasSubstr("http")));
}

TEST(RealData, AlphaOfTheCrowdsVotesOnArgumentsIsTheOneComputedIndependently) {
  const auto data = testing::shared_data();
  if (data.empty()) GTEST_SKIP() << "no shared data beside the project";
  RowReader reader(open_bytes(data / "preference/ukpconvarg1/judgments.jsonl.gz"), RowLayout::lines);
  std::map<std::string, std::vector<double>> units;
  for (RawRow row; reader.next(row);) {
    const Json json = Json::parse(row.text);
    const std::string& value = json.find("value")->string();
    units[json.find("pair")->str()].push_back(value == "a1" ? 0 : value == "a2" ? 1 : 2);
  }
  std::vector<std::vector<double>> lists;
  for (auto& [pair, votes] : units) lists.push_back(std::move(votes));
  EXPECT_NEAR(krippendorff_alpha(lists, Metric::nominal), 0.236085, 1e-6);
}

}  // namespace
}  // namespace attune
