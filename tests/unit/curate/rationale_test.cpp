// synth/rationale: reasons that say what the ratings say, and nothing where they say nothing.
#include <gtest/gtest.h>

#include "unit/curate/support.h"

namespace attune {
namespace {

using testing::answered;
using testing::curated;

Record rated(double helpful_chosen, double helpful_rejected, bool chosen_is_a = true) {
  Record record = answered("p", {"a", "b"});
  const std::int32_t chosen = chosen_is_a ? 0 : 1;
  testing::rate(record, chosen, "helpfulness", helpful_chosen);
  testing::rate(record, 1 - chosen, "helpfulness", helpful_rejected);
  testing::rate(record, chosen, "brevity", 2);
  testing::rate(record, 1 - chosen, "brevity", 3.5);
  record.feedback.push_back(
      {.what = Comparison{
           .a = {.completion = 0}, .b = {.completion = 1}, .outcome = chosen_is_a ? Outcome::a : Outcome::b}});
  return record;
}

std::string reason_of(const Record& record, const std::string& options = "{}") {
  return curated({record}, "[{synth/rationale: " + options + "}]").dataset.records[0].feedback.back().why;
}

TEST(Rationale, NamesTheRatingsThatSupportTheChoiceAndConcedesTheOthers) {
  EXPECT_EQ(
      reason_of(rated(4, 1)),
      "Answer A was rated higher in helpfulness (4.0 against 1.0). It was rated lower in brevity (2.0 against 3.5).");
  EXPECT_EQ(reason_of(rated(4, 1, false), "{concede: false}"),
            "Answer B was rated higher in helpfulness (4.0 against 1.0).");
}

TEST(Rationale, AComparisonThatNoRatingSupportsGetsNoReason) {
  EXPECT_EQ(reason_of(rated(1, 4)), "");
  EXPECT_EQ(reason_of(rated(2, 2)), "");
  EXPECT_EQ(reason_of(rated(4, 3.5), "{least: 1}"), "");
  Record given = rated(4, 1);
  given.feedback.back().why = "Mine.";
  EXPECT_EQ(reason_of(given), "Mine.");
}

TEST(Rationale, RecordsWithoutAReasonCanBeLeftOut) {
  const Curated result = curated({rated(1, 4), rated(4, 1)}, "[{synth/rationale: {keep_all: false}}]");
  EXPECT_EQ(result.dataset.records.size(), 1U);
  EXPECT_EQ(result.steps[0].counts.at("dropped: no reason"), 1);
}

TEST(Rationale, RatingsOfAStepAreNotRatingsOfTheAnswer) {
  Record record = answered("p", {"a", "b"});
  for (std::int32_t k = 0; k < 2; ++k) {
    record.feedback.push_back(
        {.what = Rating{.attribute = "logic", .value = 2.0 - k}, .on = {.completion = k, .step = 1}});
  }
  record.feedback.push_back({.what = Ranking{.tiers = {{{.completion = 0}}, {{.completion = 1}}}}});
  testing::prefer(record, 0, 1);
  EXPECT_EQ(reason_of(record), "");
}

}  // namespace
}  // namespace attune
