#include "attune/data/record.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attune/data/validate.h"

namespace attune {
namespace {

Message said(Role role, std::string text) { return {.role = role, .content = {{.text = std::move(text)}}}; }

// 0 user, 1 assistant, 2 user below 1, 3 and 4 assistants below 2.
Record conversation() {
  Record record;
  record.nodes = {{-1, said(Role::user, "a")},
                  {0, said(Role::assistant, "b")},
                  {1, said(Role::user, "c")},
                  {2, said(Role::assistant, "d")},
                  {2, said(Role::assistant, "e")}};
  record.completions = {{2, 3}, {2, 4}, {0, 3}};
  return record;
}

Feedback vote(std::int32_t a, std::int32_t b, Outcome outcome) {
  return {.what = Comparison{{.completion = a}, {.completion = b}, outcome}};
}

TEST(Record, PromptIsAfterAndItsAncestors) {
  const Record record = conversation();
  EXPECT_EQ(prompt_text(record, record.completions[0]), "abc");
  EXPECT_EQ(completion_text(record, record.completions[1]), "e");
  EXPECT_EQ(completion_text(record, record.completions[2]), "bcd");
  EXPECT_EQ(prompt_text(record, {-1, 4}), "");
  EXPECT_EQ(completion_text(record, {-1, 4}), "abce");
}

TEST(Record, PairsAreTheDecidedComparisonsThatNobodyCorrected) {
  Record record = conversation();
  record.feedback = {vote(0, 1, Outcome::a), vote(0, 1, Outcome::tie), vote(0, 1, Outcome::b), vote(0, 1, Outcome::b)};
  record.feedback[3].supersedes = 0;
  record.feedback[3].weight = 0.5;
  std::get<Comparison>(record.feedback[3].what).strength = 2;
  const auto result = pairs(record);
  ASSERT_EQ(result.size(), 2u);
  EXPECT_EQ(result[0].chosen, 1);
  EXPECT_EQ(result[0].feedback, 2);
  EXPECT_EQ(result[1].rejected, 0);
  EXPECT_EQ(result[1].strength, 2);
  EXPECT_EQ(result[1].weight, 0.5);
}

TEST(Validate, ASoundRecordHasNoProblems) {
  Record record = conversation();
  record.feedback = {vote(0, 1, Outcome::a)};
  EXPECT_TRUE(validate(record, {}).empty());
}

std::string first_problem(const Record& record, const Dataset& dataset = {}) {
  const auto problems = validate(record, dataset);
  return problems.empty() ? "none" : problems.front().field;
}

TEST(Validate, EachBrokenIndexIsNamedByItsField) {
  Record record = conversation();
  record.nodes[2].parent = 2;
  EXPECT_EQ(first_problem(record), "nodes[2].parent");
  record = conversation();
  record.nodes[1].source = 0;
  EXPECT_EQ(first_problem(record), "nodes[1].source");
  record = conversation();
  record.completions[1] = {3, 4};  // 3 is no ancestor of 4
  EXPECT_EQ(first_problem(record), "completions[1].after");
  record.completions[1] = {2, 9};
  EXPECT_EQ(first_problem(record), "completions[1].last");
  record = conversation();
  record.feedback = {vote(0, 7, Outcome::a)};
  EXPECT_EQ(first_problem(record), "feedback[0].comparison.b.completion");
  record.feedback = {vote(1, 1, Outcome::a)};
  EXPECT_EQ(first_problem(record), "feedback[0].comparison");
  record.feedback = {vote(0, 1, Outcome::a)};
  record.feedback[0].annotator = 0;
  EXPECT_EQ(first_problem(record), "feedback[0].annotator");
  record.feedback[0].annotator = -1;
  record.feedback[0].supersedes = 0;
  EXPECT_EQ(first_problem(record), "feedback[0].supersedes");
  record.feedback = {{.what = Critique{"x"}, .on = {.completion = 0, .begin = 0, .end = 2}}};
  EXPECT_EQ(first_problem(record), "feedback[0].on");
}

TEST(Validate, FaultC12ARatingOutsideOfItsScaleOrNotFiniteIsRefused) {
  Dataset dataset;
  dataset.scales = {{.name = "stars", .low = 1, .high = 5}};
  Record record = conversation();
  record.feedback = {{.what = Rating{"quality", 10, 0}, .on = {.completion = 0}}};
  EXPECT_EQ(first_problem(record, dataset), "feedback[0].rating.value");
  std::get<Rating>(record.feedback[0].what).value = NAN;
  EXPECT_EQ(first_problem(record, dataset), "feedback[0].rating.value");
  std::get<Rating>(record.feedback[0].what).value = 5;
  EXPECT_EQ(first_problem(record, dataset), "none");
}

}  // namespace
}  // namespace attune
