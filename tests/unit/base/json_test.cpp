#include "attune/base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace attune {
namespace {

TEST(Json, ParsesAndWritesTheSameCompactText) {
  const std::string text = R"({"b":[1,-2.5,true,null,"é\n"],"a":{"x":1e-07}})";
  EXPECT_EQ(Json::parse(text).str(), text);
}

TEST(Json, KeepsKeyOrderAndFindsTheLastOfDuplicates) {
  const Json json = Json::parse(R"({"z":1,"a":2,"z":3})");
  EXPECT_EQ(json.members().size(), 3u);
  EXPECT_EQ(json.find("z")->integer(), 3);
}

TEST(Json, IntegersStayExactAndDoublesRoundTrip) {
  EXPECT_EQ(Json::parse("9007199254740993").integer(), 9007199254740993);
  for (const double value : {0.1, 1.0 / 3, 1e300, -5e-324}) EXPECT_EQ(Json::parse(Json(value).str()).number(), value);
  EXPECT_EQ(Json(1.0).str(), "1.0");
  EXPECT_EQ(Json(std::numeric_limits<double>::quiet_NaN()).str(), "null");
}

TEST(Json, IntegersBeyond64BitsAreDoublesWhereverTheyStand) {
  const Json json = Json::parse(
      R"({"a":1000000000000000019884624838656,"b":"1000000000000000019884624838656\\\"","c":[-100000000000000000000]})");
  EXPECT_EQ(json.find("a")->number(), 1e30);
  EXPECT_EQ(json.find("b")->string(), "1000000000000000019884624838656\\\"");
  EXPECT_EQ(json.find("c")->items()[0].number(), -1e20);
  EXPECT_EQ(Json::parse("[1.12345678901234567890123, 100000000000000000000]").items()[0].number(), 1.1234567890123457);
  EXPECT_THROW(Json::parse("[100000000000000000000, 01]"), JsonSyntaxError);
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":1} x", "\"\xff\"", "nul", "01"}) {
    EXPECT_THROW(Json::parse(text), JsonSyntaxError) << text;
  }
  EXPECT_THROW(Json::parse(std::string(5000, '[')), JsonSyntaxError);  // deeper than 1,000
}

TEST(Json, IndentedTextIsReadable) {
  EXPECT_EQ(Json::parse(R"({"a":[1],"b":{}})").str(2), "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}");
}

TEST(Json, MembersAreSeenInPassingAsParsingSeesThem) {
  const std::string text = R"({"a":"x\u00e9\"","b":[1],"a":null,"big":10000000000000000000000})";
  Json seen = Json::object();
  const auto type = visit_members(text, [&](const JsonMember& member) {
    EXPECT_EQ(member.type, Json::parse(text).members()[seen.size()].second.type());
    seen.members().emplace_back(std::string(member.key), std::string(member.string));
  });
  EXPECT_EQ(type, Json::Type::object);
  EXPECT_EQ(seen.str(), R"({"a":"xé\"","b":"","a":"","big":""})");
  const auto none = [](const JsonMember&) { FAIL() << "a member of no object"; };
  EXPECT_EQ(visit_members("[1]", none), Json::Type::array);
  EXPECT_THROW(visit_members(R"({"a":1)", none), JsonSyntaxError);
}

TEST(Json, SmallAndLargeTextsCanFollowEachOther) {
  for (const std::size_t size : {10, 3'000'000, 20, 70'000, 40'000'000, 5}) {
    EXPECT_EQ(Json::parse('"' + std::string(size, 'x') + '"').string().size(), size);
    EXPECT_THROW(Json::parse(std::string(1001, '[') + std::string(1001, ']')), JsonSyntaxError);
  }
}

}  // namespace
}  // namespace attune
