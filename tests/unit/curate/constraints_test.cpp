// The constraint library: on a thousand random answers each constraint has the truth that it was drawn with, by a
// second reading of the answer; and the comparisons made of them.
#include "attune/curate/constraints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "attune/base/errors.h"
#include "attune/curate/words.h"
#include "attune/stats/logistic.h"
#include "attune/stats/ranks.h"
#include "support/claims.h"
#include "unit/curate/support.h"

namespace attune::curate {
namespace {

using testing::answered;
using testing::curated;
using ::testing::ElementsAre;

// Words, marks, digits, lines and capitals in all mixtures, now and then nothing at all.
std::string random_answer(std::int64_t number) {
  Random random(9, "answers", {number});
  const std::vector<std::string> pieces = {"river", "Garden", "it's", "7",  "naïve", "- item", "* star", "yes",
                                           "\n",    "\n\n",   ". ",   "? ", "! ",    ", ",     "...",    "OK"};
  std::string text;
  const std::uint64_t size = random.below(30), kinds = 2 + random.below(pieces.size() - 1);
  for (std::uint64_t i = 0; i < size; ++i) text += pieces[random.below(kinds)] + (random.below(3) > 0 ? " " : "");
  return text;
}

// A second reading, by other means: streams and searches instead of the library's scans.
bool second_reading(const std::string& answer, const Constraint& constraint) {
  std::string spaced, flat;
  for (const char c : answer) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '\'' || (c & 0x80) != 0;
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    spaced += letter ? lower : ' ';
    flat += c;
  }
  std::istringstream stream(spaced);
  const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
  const auto sentences = [&] {
    std::int64_t count = 0;
    std::string rest = flat + " ";
    for (std::size_t begin = 0; begin < rest.size();) {  // up to each mark before a blank
      std::size_t end = begin;
      while (end + 1 < rest.size() && !(std::string_view(".!?").find(rest[end]) != std::string_view::npos &&
                                        std::string_view(" \n\t\r").find(rest[end + 1]) != std::string_view::npos)) {
        ++end;
      }
      count += words_in(rest.substr(begin, end - begin)).empty() ? 0 : 1;
      begin = end + 1;
    }
    return count;
  };
  const auto paragraphs = [&] {
    std::istringstream lines(flat);
    std::int64_t count = 0;
    bool before = false;
    for (std::string line; std::getline(lines, line);) {
      const bool filled = line.find_first_not_of(" \t\r\n") != std::string::npos;
      count += filled && !before;
      before = filled;
    }
    return count;
  };
  const auto bullets =
      ("\n" + flat).find("\n- ") != std::string::npos || ("\n" + flat).find("\n* ") != std::string::npos;
  const std::size_t last = flat.find_last_not_of(" \t\r\n");
  switch (constraint.kind) {
    case ConstraintKind::words:
      return std::ssize(words) >= constraint.number;
    case ConstraintKind::sentences:
      return sentences() >= constraint.number;
    case ConstraintKind::paragraphs:
      return paragraphs() >= constraint.number;
    case ConstraintKind::includes_word:
      return std::count(words.begin(), words.end(), constraint.word) > 0;
    case ConstraintKind::begins_with:
      return !words.empty() && words[0] == constraint.word;
    case ConstraintKind::ends_with:
      return !words.empty() && words.back() == constraint.word;
    case ConstraintKind::lower_case:
      return flat.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    case ConstraintKind::digits:
      return flat.find_first_of("0123456789") != std::string::npos;
    case ConstraintKind::commas:
      return flat.find(',') != std::string::npos;
    case ConstraintKind::bullets:
      return bullets;
    case ConstraintKind::question:
      return last != std::string::npos && flat[last] == '?';
  }
  return false;
}

TEST(Constraints, HaveTheTruthTheyWereDrawnWithOnAThousandRandomAnswers) {
  std::map<std::pair<ConstraintKind, bool>, int> negated;
  for (std::int64_t i = 0; i < 1000; ++i) {
    const std::string answer = random_answer(i);
    for (const ConstraintKind kind : all_constraint_kinds) {
      for (const bool truth : {true, false}) {
        Random random(4, "draw", {i, static_cast<std::int64_t>(kind), truth});
        const Constraint constraint = draw_constraint(kind, truth, answer, random);
        ASSERT_EQ(constraint.kind, kind);
        ASSERT_EQ(obeys(answer, constraint), truth) << instruction(constraint) << "\n" << answer;
        ASSERT_EQ(second_reading(answer, constraint) != constraint.negated, truth) << instruction(constraint) << "\n"
                                                                                   << answer;
        negated[{kind, truth}] += constraint.negated ? 1 : 0;
      }
    }
  }
  for (const auto& [drawn, count] : negated) {  // neither form is the sign of an obeyed or a broken one
    EXPECT_GT(count, 10) << name(drawn.first) << drawn.second;
    EXPECT_LT(count, 990) << name(drawn.first) << drawn.second;
  }
}

TEST(Constraints, SpeakPlainly) {
  EXPECT_EQ(instruction({.kind = ConstraintKind::words, .number = 12}), "Use at least 12 words.");
  EXPECT_EQ(instruction({.kind = ConstraintKind::sentences, .negated = true, .number = 1}),
            "Use fewer than 1 sentence.");
  EXPECT_EQ(instruction({.kind = ConstraintKind::includes_word, .word = "river"}), "Use the word \"river\".");
  std::set<std::string> all;
  for (const ConstraintKind kind : all_constraint_kinds) {
    for (const bool negated : {false, true}) all.insert(instruction({.kind = kind, .negated = negated, .number = 2}));
  }
  EXPECT_EQ(all.size(), 2 * all_constraint_kinds.size());
}

TEST(Words, SentencesAndParagraphsAreCountedAsRead) {
  EXPECT_THAT(words_in("It's 3.5 Naïve-ly, OK?"), ElementsAre("it's", "3", "5", "naïve", "ly", "ok"));
  EXPECT_EQ(sentences_in("One. Two! Is 3.5 three?! Four"), 4);
  EXPECT_EQ(sentences_in("..."), 0);
  EXPECT_EQ(paragraphs_in("a\nb\n\n \nc\n"), 2);
  EXPECT_EQ(paragraphs_in(""), 0);
}

// The instructions at the end of a completion's prompt, as lists of sentences.
std::vector<std::string> instructions_of(const Record& record, std::int32_t completion) {
  const std::string prompt = prompt_text(record, record.completions[static_cast<std::size_t>(completion)]);
  const std::size_t begin = prompt.find("\n\n");
  std::vector<std::string> sentences;
  if (begin == std::string::npos) return sentences;
  std::string rest = prompt.substr(begin + 2);
  for (std::size_t end; !rest.empty(); rest.erase(0, std::min(end + 2, rest.size()))) {
    end = std::min(rest.find(". "), rest.size());
    sentences.push_back(rest.substr(0, end));
  }
  return sentences;
}

// ---- A reward that learns from the comparisons of prompts.

constexpr std::array yes_or_no = {ConstraintKind::lower_case, ConstraintKind::digits, ConstraintKind::commas,
                                  ConstraintKind::bullets, ConstraintKind::question};

// What a reward may look at: for every instruction that says yes or no of an answer, whether it is asked for and how
// the answer stands to the matter itself.
std::vector<double> features_of(const std::string& prompt, const std::string& answer) {
  std::vector<double> features;
  for (const ConstraintKind kind : yes_or_no) {
    const bool is = obeys(answer, {.kind = kind});
    for (const bool negated : {false, true}) {
      const bool asked = prompt.find(instruction({.kind = kind, .negated = negated})) != std::string::npos;
      for (const bool value : {false, true}) features.push_back(asked && is == value ? 1 : 0);
    }
  }
  features.push_back(answer.find("indeed") != std::string::npos ? 1 : 0);
  return features;
}

// The Bradley-Terry reward of the records' comparisons: a logistic regression on differences, both ways round.
LogisticModel reward_of(const std::vector<Record>& records) {
  SparseRows rows;
  std::vector<std::uint8_t> labels;
  for (const Record& record : records) {
    for (const Pair& pair : pairs(record)) {
      const auto of = [&](std::int32_t completion) {
        const Completion& one = record.completions[static_cast<std::size_t>(completion)];
        return features_of(prompt_text(record, one), completion_text(record, one));
      };
      const auto chosen = of(pair.chosen), rejected = of(pair.rejected);
      for (const double sign : {1.0, -1.0}) {
        std::vector<SparseRows::Entry> row;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
          row.emplace_back(static_cast<std::uint32_t>(i), sign * (chosen[i] - rejected[i]));
        }
        rows.add(row);
        labels.push_back(sign > 0 ? 1 : 0);
      }
    }
  }
  return fit_logistic(rows, labels, {.l2 = 0.1});
}

// How a reward orders prompts to new answers by how many of three instructions the answer obeys.
double order_of(const LogisticModel& reward, std::uint64_t seed) {
  std::vector<double> obeyed, rewards;
  for (std::int64_t i = 0; i < 60; ++i) {
    Random random(seed, "held-out", {i});
    const std::string answer = random_answer(static_cast<std::int64_t>(random.next() >> 40U));
    const auto order = random.permutation(yes_or_no.size());
    for (int met = 0; met <= 3; ++met) {
      std::string prompt = "Say something.";
      for (int k = 0; k < 3; ++k) {
        const auto kind = yes_or_no[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])];
        prompt += " " + instruction(draw_constraint(kind, k < met, answer, random));
      }
      std::vector<SparseRows::Entry> row;
      const auto features = features_of(prompt, answer);
      for (std::size_t k = 0; k < features.size(); ++k) row.emplace_back(static_cast<std::uint32_t>(k), features[k]);
      obeyed.push_back(met);
      rewards.push_back(reward.log_odds(row));
    }
  }
  return rank_correlation(obeyed, rewards);
}

// Sun et al. 2025: comparisons of answers alone, here by whether they say "indeed", do not teach what an instruction
// asks for, though instructions stand in their prompts; as many comparisons of prompts do.
TEST(MaplClaims, ARewardOfComparedPromptsOrdersPromptsByWhatIsObeyedAndOneOfAnswersIsAtChance) {
  double mean = 0;
  const testing::Worlds worlds{.quick = 12, .full = 24};
  const double gain = testing::expect_wins("mapl_reward_orders_prompts", worlds, [&](std::uint64_t seed) {
    std::vector<Record> originals, answers;
    for (std::int64_t i = 0; i < 80; ++i) {
      Random random(seed, "pairs", {i});
      const auto text = [&] { return random_answer(static_cast<std::int64_t>(random.next() >> 40U)); };
      const std::string good = text() + " indeed", bad = text();
      std::string instructed = "Say something.";
      for (const ConstraintKind kind : yes_or_no) {
        if (random.below(2) == 1) instructed += " " + instruction({.kind = kind, .negated = random.below(2) == 1});
      }
      originals.push_back(answered("Say something.", {good, bad}));
      answers.push_back(answered(instructed, {good, bad}));
      testing::prefer(originals.back(), 0, 1);
      testing::prefer(answers.back(), 0, 1);
    }
    const Curated made = curated(originals, "[{synth/constraint-prompts: {gaps: false}}]", seed);
    const double with = order_of(reward_of(made.dataset.records), seed), without = order_of(reward_of(answers), seed);
    EXPECT_GT(with, 0.7) << seed;
    mean += without / testing::count_of(worlds);
    return with - std::abs(without);
  });
  EXPECT_GT(gain, 0.4);
  EXPECT_NEAR(mean, 0, 0.15);
}

TEST(ConstraintPrompts, CompareOneAnswerUnderAPromptItObeysAndOneItBreaks) {
  const std::string good = "Rivers run, over 3 stones. Do they?", bad = "no";
  Record record = answered("Say something.", {good, bad}, "r");
  testing::prefer(record, 0, 1);
  const Curated result = curated({record}, "[{synth/constraint-prompts: {constraints: 3, broken: 1, gaps: false}}]", 7);
  ASSERT_EQ(result.dataset.records.size(), 2U);
  EXPECT_EQ(result.dataset.records[0], record) << "the original stays as it was";
  const Record& made = result.dataset.records[1];
  ASSERT_EQ(pairs(made).size(), 1U);
  const Pair pair = pairs(made)[0];
  for (const std::int32_t side : {pair.chosen, pair.rejected}) {
    EXPECT_EQ(completion_text(made, made.completions[static_cast<std::size_t>(side)]), good);
  }
  const auto obeyed = instructions_of(made, pair.chosen), broken = instructions_of(made, pair.rejected);
  ASSERT_EQ(obeyed.size(), 3U);
  ASSERT_EQ(broken.size(), 3U);
  EXPECT_NE(obeyed[0], broken[0]);
  EXPECT_EQ(obeyed[1], broken[1]);
  EXPECT_EQ(obeyed[2], broken[2]);
}

TEST(ConstraintPrompts, AGapStandsBehindItsOriginalUnderConstraintsThatDivideTheAnswers) {
  Record record = answered("Say something.", {"Rivers run, over 3 stones. Do they?", "no"});
  testing::prefer(record, 0, 1);
  record.feedback.back().why = "Because.";
  const Curated result = curated({record}, "[{synth/constraint-prompts: {prompts: false, constraints: 2}}]", 1);
  const Record& made = result.dataset.records.at(0);
  const auto compared = pairs(made);
  ASSERT_EQ(compared.size(), 2U);
  EXPECT_EQ(compared[0].chosen, 0);
  EXPECT_EQ(made.feedback[0].why, "Because.");
  EXPECT_EQ(compared[1].chosen, 2);
  EXPECT_EQ(compared[1].rejected, 3);
  EXPECT_EQ(instructions_of(made, 2).size(), 2U);
  EXPECT_EQ(instructions_of(made, 2), instructions_of(made, 3));
  EXPECT_TRUE(instructions_of(made, 0).empty());
  // Twins leave nothing to divide by: the record stays as it was.
  Record twins = answered("Say something.", {"no", "no"});
  testing::prefer(twins, 0, 1);
  const Curated same = curated({twins}, "[{synth/constraint-prompts: {prompts: false}}]");
  EXPECT_EQ(same.dataset.records.at(0), twins);
  EXPECT_EQ(same.steps[0].counts.at("gaps without a constraint that divides"), 1);
}

TEST(ConstraintPrompts, ConversationsGetTheInstructionsInTheirLastMessage) {
  Record record;
  for (const auto& [role, text] : {std::pair{Role::system, "Be kind."}, std::pair{Role::user, "Hello"},
                                   std::pair{Role::assistant, "Hi there."}, std::pair{Role::assistant, "Go away"}}) {
    const auto parent = std::min<std::int32_t>(static_cast<std::int32_t>(record.nodes.size()) - 1, 1);
    record.nodes.push_back({.parent = parent, .message = {.role = role, .content = {{.text = text}}}});
  }
  record.completions = {{1, 2}, {1, 3}};
  testing::prefer(record, 0, 1);
  const Curated result = curated({record}, "[{synth/constraint-prompts: {place: before}}]");
  const Record& made = result.dataset.records.at(1);
  const auto prompt = prompt_messages(made, made.completions[0]);
  ASSERT_EQ(prompt.size(), 2U);
  EXPECT_EQ(text_of(*prompt[0]), "Be kind.");
  EXPECT_TRUE(text_of(*prompt[1]).ends_with("\n\nHello"));
  EXPECT_EQ(prompt[1]->content.size(), 1U);
}

TEST(ConstraintPrompts, OptionsThatExcludeEachOtherAreRefused) {
  for (const char* yaml : {"[{synth/constraint-prompts: {constraints: 2, broken: 3}}]",
                           "[{synth/constraint-prompts: {prompts: false, gaps: false}}]"}) {
    EXPECT_THROW(testing::operators_of(yaml)[0]->check(), ConfigError) << yaml;
  }
}

}  // namespace
}  // namespace attune::curate
