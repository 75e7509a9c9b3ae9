// What each verifier takes for right, and what it refuses.
#include "support.h"

namespace attune {
namespace {

using ::testing::HasSubstr;
using testing::score_of;
using testing::shared_data;
using testing::verifier_of;

TEST(Numeric, ReadsTheNumberBehindTheMarkerOrTheLastOne) {
  EXPECT_EQ(score_of("numeric", "2 * 3 = 6\n#### 6", "6"), 1);
  EXPECT_EQ(score_of("numeric", "so it is $1,234.50 then.", "#### 1234.5"), 1);
  EXPECT_EQ(score_of("numeric", "A: -3", "3"), 0);
  EXPECT_EQ(score_of("numeric", "A: -3", "-3.0"), 1);
  EXPECT_EQ(score_of("numeric", "#### 5 of 9", "5"), 1);
  EXPECT_EQ(score_of("numeric", "5-3", "3"), 1) << "a minus between numbers is no sign";
  EXPECT_EQ(score_of("numeric", "nothing", "3"), 0);
  EXPECT_EQ(score_of("numeric", "the answer is 3", "3", {"last=false"}), 0);
  EXPECT_EQ(score_of("numeric", "0.3333", "0.33333", {"tolerance=0.001"}), 1);
}

TEST(Numeric, AgreesWithTheGoldFlagsOfGsm8k) {
  if (shared_data().empty()) GTEST_SKIP() << "no real data beside the project";
  const auto verifier = verifier_of("numeric");
  const Path path = shared_data() / "verifiable/gsm8k/example_model_solutions.0000-0659.jsonl.gz";
  const Json all =
      *Json::parse(read_file(shared_data() / "expected_numbers.json")).find("gsm8k_solutions")->find("value");
  for (const auto& [model, value] : all.members()) {
    double right = 0, disagreements = 0, n = 0;
    for (const Json& row : testing::rows_of(path)) {
      const Json& solution = *row.find(model);
      const double score =
          verifier
              ->verify({.answer = solution.find("solution")->string(), .reference = row.find("ground_truth")->string()})
              .score;
      const bool gold = solution.find("is_correct")->boolean();
      disagreements += (score > 0.5) != gold ? 1 : 0;
      right += gold ? 1 : 0;
      n += 1;
    }
    EXPECT_LE(disagreements, value.find("numeric_checker_disagreements")->number()) << model;
    EXPECT_NEAR(100 * right / n, value.find("accuracy_percent")->number(), 1e-6) << model;
  }
}

TEST(ExactMatch, NormalisesAsAsked) {
  EXPECT_EQ(score_of("exact-match", "  Paris \n", "Paris"), 1);
  EXPECT_EQ(score_of("exact-match", "paris", "Paris"), 0);
  EXPECT_EQ(score_of("exact-match", "The paris!", "Paris",
                     {"ignore_case=true", "ignore_punctuation=true", "ignore_articles=true"}),
            1);
  EXPECT_EQ(score_of("exact-match", "I think so.\nAnswer: B", "B", {"markers=['Answer:']"}), 1);
  EXPECT_EQ(score_of("exact-match",
                     "Stra\xC3\x9F"
                     "e",
                     "STRA\xC3\x9F"
                     "E",
                     {"ignore_case=true"}),
            1);
}

TEST(Verifiers, SayWhichRecordLacksAReference) {
  for (const char* name : {"exact-match", "numeric"}) {
    try {
      score_of(name, "1");
      ADD_FAILURE() << name;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("(record 7): found no reference answer; expected one to compare with"));
    }
  }
}

TEST(RegexVerifier, MatchesPartsWholesAndWhatIsForbidden) {
  EXPECT_EQ(score_of("regex", "call 555-1234 now", "", {"pattern=\\d{3}-\\d{4}"}), 1);
  EXPECT_EQ(score_of("regex", "call 555-1234 now", "", {"pattern=\\d{3}-\\d{4}", "whole=true"}), 0);
  EXPECT_EQ(score_of("regex", "555-1234", "", {"pattern=\\d{3}-\\d{4}", "whole=true"}), 1);
  EXPECT_EQ(score_of("regex", "a, b", "", {"pattern=','", "forbid=true"}), 0);
  EXPECT_THROW(verifier_of("regex", {"pattern=(a"}), ConfigError);
  EXPECT_EQ(score_of("regex", std::string(20'000, 'a') + "!", "", {"pattern=(a+)+$"}), 0) << "and in linear time";
}

TEST(Length, CountsWordsCharactersAndLines) {
  EXPECT_EQ(score_of("length", "one two three", "", {"least=3", "most=3"}), 1);
  EXPECT_EQ(score_of("length", "one two three", "", {"most=2"}), 0);
  EXPECT_EQ(score_of("length", "one two three", "", {"most=2", "slack=2"}), 0.5);
  EXPECT_EQ(score_of("length", "gr\xC3\xBC\xC3\x9F", "", {"least=4", "most=4", "unit=characters"}), 1);
  EXPECT_EQ(score_of("length", "a\nb\n", "", {"least=2", "most=2", "unit=lines"}), 1);
  EXPECT_EQ(score_of("length", "", "", {"least=1"}), 0);
  EXPECT_THROW(verifier_of("length", {"least=3", "most=2"}), ConfigError);
}

TEST(Format, WantsItsSectionsOnceAndInOrder) {
  const auto score = [](const std::string& text) { return score_of("format", text); };
  EXPECT_EQ(score("<think>hm</think>\n<answer>4</answer>\n"), 1);
  EXPECT_EQ(score("<answer>4</answer><think>hm</think>"), 0);
  EXPECT_EQ(score("<think>hm</think><answer>4</answer><answer>5</answer>"), 0);
  EXPECT_EQ(score("well <think>hm</think><answer>4</answer>"), 0);
  EXPECT_EQ(score("<think> </think><answer>4</answer>"), 0);
  EXPECT_EQ(score("</think><think>hm<answer>4</answer>"), 0);
  EXPECT_EQ(score_of("format", "well <b>x</b> bye", "", {"tags=[b]", "only=false"}), 1);
}

class JsonSchema : public ::testing::Test {
 protected:
  std::string schema(const std::string& text) {
    write_durably(disk(), directory_ / "schema.json", text);
    return "schema=" + (directory_ / "schema.json").string();
  }
  testing::TemporaryDirectory directory_;
};

TEST_F(JsonSchema, ChecksTypesMembersAndBounds) {
  const std::string option = schema(R"({"type":"object","required":["name","age"],"additionalProperties":false,
      "properties":{"name":{"type":"string","minLength":1},"age":{"type":"integer","minimum":0},
                    "tags":{"type":"array","items":{"enum":["a","b"]},"maxItems":2}}})");
  const auto score = [&](const std::string& text) { return score_of("json-schema", text, "", {option}); };
  EXPECT_EQ(score(R"({"name":"x","age":3,"tags":["a"]})"), 1);
  EXPECT_EQ(score("```json\n{\"name\":\"x\",\"age\":3}\n```"), 1);
  EXPECT_EQ(score(R"({"name":"x"})"), 0);
  EXPECT_EQ(score(R"({"name":"x","age":3.5})"), 0);
  EXPECT_EQ(score(R"({"name":"","age":3})"), 0);
  EXPECT_EQ(score(R"({"name":"x","age":-1})"), 0);
  EXPECT_EQ(score(R"({"name":"x","age":1,"tags":["c"]})"), 0);
  EXPECT_EQ(score(R"({"name":"x","age":1,"tags":["a","a","a"]})"), 0);
  EXPECT_EQ(score(R"({"name":"x","age":1,"more":1})"), 0);
  EXPECT_EQ(score("no JSON"), 0);
  EXPECT_EQ(score_of("json-schema", "[1]"), 1) << "without a schema any JSON";
}

TEST_F(JsonSchema, RefusesKeywordsThatItWouldIgnore) {
  try {
    verifier_of("json-schema", {schema(R"({"type":"object","oneOf":[]})")});
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("oneOf"));
  }
  EXPECT_THROW(verifier_of("json-schema", {schema(R"({"type":"thing"})")}), ConfigError);
  EXPECT_THROW(verifier_of("json-schema", {schema("not json")}), ConfigError);
}

TEST(Compose, WeighsClipsAndTakesPartsInOrder) {
  const std::string parts = "parts=[{numeric: {weight: 3}}, {length: {most: 2}}]";
  const auto score = [&](const std::string& answer, std::vector<std::string> options) {
    options.insert(options.begin(), parts);
    return score_of("compose", answer, "7", options);
  };
  EXPECT_EQ(score("it is 7", {}), 0.75);
  EXPECT_EQ(score("it is 7", {"how=sum"}), 3);
  EXPECT_EQ(score("it is 7", {"how=sum", "highest=2"}), 2);
  EXPECT_EQ(score("it is 7", {"how=min"}), 0);
  EXPECT_EQ(score("it is 7", {"how=min", "lowest=0.1"}), 0.1);
  EXPECT_EQ(score("it is 7", {"how=lexicographic"}), 0.5);
  EXPECT_EQ(score("8", {"how=lexicographic"}), 0) << "a short wrong answer is no better than a long one";
  EXPECT_EQ(score("is 7", {"how=product"}), 1);
  EXPECT_THROW(verifier_of("compose", {"parts=[]"}), ConfigError);
  EXPECT_THROW(verifier_of("compose", {parts, "lowest=1", "highest=0"}), ConfigError);
  EXPECT_THROW(verifier_of("compose", {"parts=[{length: {least: 2, most: 1}}]"}), ConfigError);
}

}  // namespace
}  // namespace attune
