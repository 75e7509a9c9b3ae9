// The regular expressions of tokenizer files. What real ones do is held against the `tokenizers` package in
// pipeline_parity_test.cpp; here is what they promise beside that.
#include "attune/text/regex/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace attune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> matches(const std::string& expression, const std::string& text) {
  const Regex regex = Regex::compile(expression, {});
  RegexSearch search(regex, text);
  std::vector<std::string> found;
  while (const auto match = search.next()) found.push_back(text.substr(match->begin, match->end - match->begin));
  return found;
}

std::string refusal(const std::string& expression) {
  try {
    Regex::compile(expression, {.file = "tokenizer.json"});
  } catch (const FormatError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Regex, TakesTheFirstAlternativeThatFits) {
  EXPECT_THAT(matches("a|ab|b", "abab"), ElementsAre("a", "b", "a", "b"));
  EXPECT_THAT(matches("ab|a", "aba"), ElementsAre("ab", "a"));
}

TEST(Regex, RepeatsGreedilyLazilyOrForGood) {
  EXPECT_THAT(matches("a+ab", "aaab"), ElementsAre("aaab"));
  EXPECT_THAT(matches("a++ab", "aaab"), ElementsAre());
  EXPECT_THAT(matches("a+?", "aa"), ElementsAre("a", "a"));
  EXPECT_THAT(matches("(?>a|ab)c", "abc"), ElementsAre());
  EXPECT_THAT(matches("(?:ab){2,3}", "abababab"), ElementsAre("ababab"));
  EXPECT_THAT(matches("a{,2}b", "aaab"), ElementsAre("aab"));
  EXPECT_THAT(matches("x{a}", "x{a}"), ElementsAre("x{a}"));
}

TEST(Regex, EmptyLoopsEnd) {
  EXPECT_THAT(matches("(?:a*)*b", "aab"), ElementsAre("aab"));
  EXPECT_THAT(matches("(?:)*", "a"), ElementsAre("", ""));
}

TEST(Regex, LooksAroundAndAtBorders) {
  EXPECT_THAT(matches(R"(\s+(?!\S))", "a   b  "), ElementsAre("  ", "  "));
  EXPECT_THAT(matches("(?<=a|bc)x", "ax bx bcx x"), ElementsAre("x", "x"));
  EXPECT_THAT(matches("(?<!a)x", "ax bx"), ElementsAre("x"));
  EXPECT_THAT(matches(R"(\bb)", "b ab éb b"), ElementsAre("b", "b"));
  EXPECT_THAT(matches("a$", "a\na"), ElementsAre("a", "a"));  // the end of a line, as in Ruby
  EXPECT_THAT(matches(R"(a\z)", "a\na"), ElementsAre("a"));
  EXPECT_THAT(matches("^a", "a\na"), ElementsAre("a", "a"));
}

TEST(Regex, SetsAreAlgebra) {
  EXPECT_THAT(matches(R"([\p{L}&&[^\p{Han}]]+)", "ab中é"), ElementsAre("ab", "é"));
  EXPECT_THAT(matches(R"([^a-c\s]+)", "ab xyz"), ElementsAre("xyz"));
  EXPECT_THAT(matches(R"([\]\-x-z]+)", "]-y"), ElementsAre("]-y"));
  EXPECT_THAT(matches("(?i:'s|K)", "'S \u212A k"), ElementsAre("'S", "\u212A", "k"));
}

TEST(Regex, RefusesWhatItWouldReadOtherwise) {
  for (const char* expression : {"(?<n>a)", "[[:alpha:]]", "\\k", "(", "a)", "[a", "*a", "\\p{Klingon}", "(?<=a*)b",
                                 "a{1,2}?", "(?i:ss)", "(?i:é)", "a{2000}", "^*", "(?#x)", "\\1"}) {
    EXPECT_THAT(refusal(expression), HasSubstr("tokenizer.json: found a regular expression with")) << expression;
  }
  EXPECT_THAT(refusal(std::string(60, '(') + std::string(60, ')')), HasSubstr("nested too deep"));
  EXPECT_THAT(refusal("(?:(?:a{1000}){1000}){1000}"), HasSubstr("too many repetitions"));
}

TEST(Regex, LongTextsTakeLinearTime) {
  for (const char* expression :
       {R"(\s+$)", "(a+)+$", "(?:a|a)*b", "(?:a*)*c", "(a|aa)+$", R"(\s*[\r\n]+|\s+(?!\S)|\s+)"}) {
    for (const char unit : {'a', ' '}) {
      const std::string text = std::string(300'000, unit) + "!";
      const auto begin = std::chrono::steady_clock::now();
      matches(expression, text);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      EXPECT_LT(seconds.count(), 1.0) << expression << " on '" << unit << "'";
    }
  }
}

}  // namespace
}  // namespace attune
