// weight/density-ratio: the ratio of two Gaussians, words, and what is refused.
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "unit/curate/support.h"

namespace attune {
namespace {

using testing::answered;
using testing::curated;

Record thumbed(double x, bool up) {
  Record record = answered("p", {"a"});
  record.extra_json = R"({"x": )" + format_double(x) + "}";
  testing::rate(record, 0, "thumb", up ? 1 : 0);
  return record;
}

// Thumbs up at N(1/2, 1), down at N(-1/2, 1): the log ratio of the densities at x is x. Down there are three times as
// many, which is no matter of the prompts' densities.
TEST(DensityRatio, RecoversTheRatioOfTwoGaussians) {
  std::vector<Record> records;
  std::vector<double> places;
  Random random(1, "gaussians");
  for (int i = 0; i < 8000; ++i) {
    const bool up = i % 4 == 0;
    places.push_back(random.normal() + (up ? 0.5 : -0.5));
    records.push_back(thumbed(places.back(), up));
  }
  const Curated result =
      curated(std::move(records),
              "[{weight/density-ratio: {features: column, column: x, l2: 0.01, min_weight: 0, max_weight: 1.0e9}}]");
  double worst = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double weight = result.dataset.records[i].feedback[0].weight;
    if (i % 4 == 0) {
      EXPECT_EQ(weight, 1) << "thumbs up keep their weight";
    } else if (std::abs(places[i]) < 2) {  // where nearly all of the draws are
      worst = std::max(worst, std::abs(std::log(weight) - places[i]));
    }
  }
  // The fit's slope and intercept have standard errors near 0.03 with 2000 draws above and 6000 below.
  EXPECT_LT(worst, 0.25);
  RecordProperty("worst_log_ratio_error", std::to_string(worst));
}

TEST(DensityRatio, WordsTellPromptsApartAndBoundsHold) {
  std::vector<Record> records;
  for (int i = 0; i < 40; ++i) {
    // Thumbs up ask about cats mostly, thumbs down about dogs mostly.
    const bool up = i % 2 == 0, usual = i % 10 < 8;
    Record record = answered(up == usual ? "Tell me of cats." : "Tell me of dogs.", {"a"});
    testing::rate(record, 0, "thumb", up ? 1 : 0);
    records.push_back(record);
  }
  const Curated result = curated(records, "[{weight/density-ratio: {l2: 0.1, max_weight: 2}}]");
  for (std::size_t i = 1; i < records.size(); i += 2) {
    const bool cats = prompt_text(records[i], records[i].completions[0]).find("cats") != std::string::npos;
    const double weight = result.dataset.records[i].feedback[0].weight;
    EXPECT_EQ(weight, cats ? 2 : 0.5) << i;  // clamped both ways: the shares are 4 to 1
  }
  EXPECT_EQ(result.steps[0].counts.at("lowered to max_weight"), 4);
  EXPECT_EQ(result.steps[0].counts.at("raised to min_weight"), 16);
  EXPECT_EQ(result.steps[0].findings.find("accuracy")->number(), 0.8);
}

std::string refusal(std::vector<Record> records, const std::string& yaml) {
  try {
    curated(std::move(records), yaml);
  } catch (const DataError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(DensityRatio, DataOfOneKindOrWithoutTheColumnIsRefused) {
  const std::string by_x = "[{weight/density-ratio: {features: column, column: x}}]";
  EXPECT_NE(refusal({thumbed(1, true), thumbed(2, true)}, by_x).find("0 with one down"), std::string::npos);
  EXPECT_NE(refusal({thumbed(1, true), answered("p", {"a"})}, by_x).find("some of both kinds"), std::string::npos);
  Record bare = thumbed(1, false);
  bare.extra_json = R"({"x": "secret"})";
  const std::string text = refusal({thumbed(1, true), bare}, by_x);
  EXPECT_NE(text.find("record 1, field x"), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  bare.extra_json = "";
  EXPECT_NE(refusal({thumbed(1, true), bare}, by_x).find("no such column"), std::string::npos);
}

TEST(DensityRatio, OptionsThatExcludeEachOtherAreRefused) {
  for (const char* yaml : {"[{weight/density-ratio: {features: column}}]", "[{weight/density-ratio: {column: x}}]",
                           "[{weight/density-ratio: {min_weight: 3, max_weight: 2}}]"}) {
    EXPECT_THROW(testing::operators_of(yaml)[0]->check(), ConfigError) << yaml;
  }
}

}  // namespace
}  // namespace attune
