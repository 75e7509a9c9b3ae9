// What every operator of the catalogue keeps: legal records, what it was given, the same answer however data is cut.
#include <gtest/gtest.h>

#include <algorithm>

#include "attune/base/files.h"
#include "attune/base/random.h"
#include "attune/data/validate.h"
#include "support/temporary.h"
#include "unit/curate/support.h"

namespace attune {
namespace {

using testing::answered;

// Every kind of feedback that an operator may look for.
std::vector<Record> labelled(int count) {
  std::vector<Record> records;
  Random random(5, "curate");
  for (int i = 0; i < count; ++i) {
    Record record =
        answered("Question " + std::to_string(i % 5) + "?", {"Yes, 3 of them.", "no idea", "Maybe.\n\nOr not?"},
                 i % 2 == 0 ? "r" + std::to_string(i) : "");
    record.extra_json = R"({"embedding": [)" + std::to_string(random.normal()) + ", 1]}";
    for (std::int32_t k = 0; k < 3; ++k) {
      testing::rate(record, k, "score", static_cast<double>(random.below(5)));
      testing::rate(record, k, "brevity", static_cast<double>(random.below(5)));
    }
    testing::rate(record, 0, "thumb", 1);
    testing::rate(record, 1, "thumb", 0);
    testing::prefer(record, 0, 1);
    records.push_back(std::move(record));
  }
  return records;
}

// Two reward models' scores of all of these records.
std::string scores_of_labelled(int count) {
  static const testing::TemporaryDirectory directory;
  std::string files;
  Random random(6, "scores");
  for (const char* name : {"one.jsonl", "two.jsonl"}) {
    std::string rows;
    for (int i = 0; i < count; ++i) {
      const std::string record = i % 2 == 0 ? "\"r" + std::to_string(i) + "\"" : std::to_string(i);
      for (int k = 0; k < 3; ++k) {
        rows += "{\"record\":" + record + ",\"completion\":" + std::to_string(k) +
                ",\"score\":" + std::to_string(random.normal()) + "}\n";
      }
    }
    write_durably(disk(), directory / name, rows);
    files += (files.empty() ? "" : ", ") + (directory / name).string();
  }
  return "[" + files + "]";
}

class EveryOperator : public ::testing::TestWithParam<std::string> {
 protected:
  static constexpr int count = 12;
  Curated run(std::uint64_t seed = 3) const {
    return testing::curated(labelled(count), "[{" + GetParam() + "}]", seed);
  }
};

TEST_P(EveryOperator, LeavesLegalRecordsAndSaysHowManyAndWhy) {
  const Curated result = run();
  for (const Record& record : result.dataset.records) EXPECT_TRUE(validate(record, result.dataset).empty());
  ASSERT_EQ(result.steps.size(), 1U);
  EXPECT_EQ(result.steps[0].in, count);
  EXPECT_EQ(result.steps[0].out, std::ssize(result.dataset.records));
  EXPECT_FALSE(result.steps[0].counts.empty());
}

TEST_P(EveryOperator, IsAFunctionOfItsSeedAlone) { EXPECT_EQ(run().dataset.records, run().dataset.records); }

TEST_P(EveryOperator, GivesTheSameRecordsHoweverTheDataIsCutIntoSpans) {
  const OperatorList list = testing::operators_of("[{" + GetParam() + "}]");
  Dataset dataset;
  dataset.records = labelled(count);
  list[0]->observe(dataset);
  Sink sink(Dataset{});
  std::int64_t first = 0;
  for (const std::size_t size : {1U, 4U, 2U, 5U}) {
    list[0]->apply(std::span(dataset.records).subspan(static_cast<std::size_t>(first), size),
                   {.seed = 3, .first = first}, sink);
    first += static_cast<std::int64_t>(size);
  }
  EXPECT_EQ(sink.finish().records, run().dataset.records);
}

TEST_P(EveryOperator, KeepsAnswersAndWhatPeopleSaid) {
  const Curated result = run();
  const auto given = labelled(count);
  std::size_t found = 0;
  for (const Record& record : given) {
    found += std::any_of(result.dataset.records.begin(), result.dataset.records.end(), [&](const Record& kept) {
      return kept.extra_json == record.extra_json && kept.completions.size() >= record.completions.size() &&
             kept.feedback.size() >= record.feedback.size() && kept.nodes[0].message == record.nodes[0].message;
    });
  }
  // All but those that it says it dropped.
  std::int64_t dropped = 0;
  for (const auto& [what, times] : result.steps[0].counts) dropped += what.starts_with("dropped") ? times : 0;
  EXPECT_EQ(static_cast<std::int64_t>(found), count - dropped);
}

INSTANTIATE_TEST_SUITE_P(Operators, EveryOperator,
                         ::testing::Values("weight/density-ratio: {features: column, column: embedding}",
                                           "weight/density-ratio: {}", "pairs/best-worst-of-n: {n: 3}",
                                           "pairs/best-worst-of-n: {n: 2, attribute: brevity}", "synth/rationale: {}",
                                           "synth/constraint-prompts: {}", "synth/self-sample: {model: M, k: 4}",
                                           "synth/constraint-prompts: {constraints: 2, broken: 2, gaps: false}",
                                           "weight/preference-strength: {drop: 0.2, flip: 0.2, smooth: 0.2, scores: " +
                                               scores_of_labelled(12) + "}"),
                         [](const auto& row) {
                           std::string name = row.param;
                           name.resize(std::min(name.find(", scores"), name.size()));  // not where they lie
                           std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
                           return name;
                         });

TEST(Operators, EachHasItsContractTests) {
  for (const auto& row : part_rows<Operator>()) {
    EXPECT_NE(std::string(row.part->text.summary), "") << row.path;
    EXPECT_NE(std::string(row.part->text.paper), "") << row.path;
  }
  EXPECT_EQ(part_rows<Operator>().size(), 6U) << "a new operator goes into the suite above, and this number with it";
}

}  // namespace
}  // namespace attune
