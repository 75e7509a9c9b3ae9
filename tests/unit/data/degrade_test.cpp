#include "attune/data/degrade.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

TEST(Degrade, TakesTheLongestWordsFirstAndTheirBlanks) {
  // Words by length: elephants, carefully, drink, water, the.
  EXPECT_EQ(without_key_content("the elephants drink water, carefully.", 0.4), "the drink water,.");
  EXPECT_EQ(without_key_content("the elephants drink water, carefully.", 0), "the elephants drink water, carefully.");
  EXPECT_EQ(without_key_content("the elephants drink water, carefully.", 1), ",.");
}

// Part of the works_when of spo-preference-degree: more levels remove strictly more.
TEST(Degrade, LargerSharesTakeAwayAllThatSmallerOnesDo) {
  const std::string text =
      "Größere Anteile nehmen mehr weg; kleine, kurze Wörter bleiben am längsten übrig (so ist es).";
  std::string last = text;
  for (int level = 1; level < 8; ++level) {
    const std::string less = without_key_content(text, level / 8.0);
    EXPECT_LT(less.size(), last.size());
    std::size_t found = 0;  // `less` is what is left of `last`: a subsequence
    for (const char c : last) found += found < less.size() && less[found] == c ? 1 : 0;
    EXPECT_EQ(found, less.size());
    last = less;
  }
}

TEST(Degrade, ComparedAnswersGetVariantsThatCarryTheirDegree) {
  Record record;
  const auto say = [&](std::int32_t parent, Role role, const char* text) {
    Node node{.parent = parent, .message = {.role = role}};
    node.message.content.push_back({.text = text});
    record.nodes.push_back(node);
    return static_cast<std::int32_t>(record.nodes.size()) - 1;
  };
  const auto question = say(-1, Role::user, "Why?");
  record.completions.push_back({question, say(question, Role::assistant, "Because of the light.")});
  record.completions.push_back({question, say(question, Role::assistant, "No.")});
  record.completions.push_back({question, say(question, Role::assistant, "Nobody compared this one.")});
  record.feedback.push_back(
      {.what = Comparison{.a = {.completion = 0}, .b = {.completion = 1}, .outcome = Outcome::a}});
  add_degrees(record, 2);
  ASSERT_EQ(record.completions.size(), 5u);
  EXPECT_EQ(completion_text(record, record.completions[3]), " of the light.");
  EXPECT_EQ(completion_text(record, record.completions[4]), " of the.");
  std::vector<std::pair<std::int32_t, std::string>> degrees;
  for (const Feedback& feedback : record.feedback) {
    if (const auto* label = std::get_if<Label>(&feedback.what)) {
      degrees.emplace_back(feedback.on.completion, label->value);
    }
  }
  // "No." has a single word, of which neither a third nor two thirds are a whole one.
  EXPECT_EQ(degrees, (std::vector<std::pair<std::int32_t, std::string>>{{0, "0"}, {3, "1"}, {4, "2"}, {1, "0"}}));
}

}  // namespace
}  // namespace attune
