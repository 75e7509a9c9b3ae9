#include "attune/base/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "attune/base/json.h"

namespace attune {
namespace {

TEST(Errors, MessageIsOneLineWithPlaceFoundExpectedAndRemedy) {
  const DataError error({.file = "a.jsonl", .line = 3, .record = "r7", .field = "chosen[1].role"}, "a number",
                        "a string", "quote it");
  EXPECT_STREQ(error.what(),
               "a.jsonl:3 (record r7, field chosen[1].role): found a number; expected a string; quote it");
  EXPECT_EQ(exit_code(error.kind()), 65);
}

TEST(Errors, NewlineInAPathDoesNotBreakTheLine) {
  const MissingInput error({.file = "a\nb"}, "no such file");
  EXPECT_STREQ(error.what(), "a b: found no such file");
}

TEST(Errors, JsonHoldsTheSameParts) {
  const ConfigError error({.file = "run.yaml", .line = 2, .field = "optimiser"}, "an unknown key", "optimizer");
  const Json json = Json::parse(error.json());
  EXPECT_EQ(json.find("error")->find("code")->string(), "config");
  EXPECT_EQ(json.find("error")->find("exit")->integer(), 78);
  EXPECT_EQ(json.find("error")->find("line")->integer(), 2);
}

TEST(Errors, EditDistanceCountsInsertDeleteAndReplace) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);  // k->s, e->i, +g
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

TEST(Errors, NearestFindsTheRightSpellingAndStaysSilentWhenNothingIsNear) {
  const std::array<std::string, 3> keys{"optimizer", "objective", "out"};
  EXPECT_EQ(nearest("optimiser", keys), "optimizer");
  EXPECT_EQ(nearest("temperature", keys), "");
}

}  // namespace
}  // namespace attune
