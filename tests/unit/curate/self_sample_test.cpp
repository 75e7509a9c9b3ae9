#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "unit/curate/support.h"

namespace attune {
namespace {

using testing::answered;
using testing::curated;
using Counts = std::map<std::string, std::int64_t>;

Node node(std::int32_t parent, Role role, const std::string& text) {
  return {.parent = parent, .message = {.role = role, .content = {{.text = text}}}};
}

TEST(SelfSample, AddsUnjudgedAnswersBehindThosePeopleJudgedAndLeavesTheRestAlone) {
  Record given = answered("Q? ", {"bad"}, "r");
  testing::rate(given, 0, "thumb", 0);
  const Curated result = curated({given}, "[{synth/self-sample: {model: M, k: 2}}]", 9);
  ASSERT_EQ(result.dataset.records.size(), 1U);
  Record record = result.dataset.records[0];
  ASSERT_EQ(record.completions.size(), 3U);
  EXPECT_EQ(completion_text(record, record.completions[1]), "plain: Q? |9/0/0");
  EXPECT_EQ(completion_text(record, record.completions[2]), "plain: Q? |9/0/1");
  EXPECT_EQ(prompt_text(record, record.completions[2]), "Q? ");
  EXPECT_EQ(record.nodes.back().message.role, Role::plain);
  record.nodes.resize(2);
  record.completions.resize(1);
  EXPECT_EQ(record, given);
  EXPECT_EQ(result.steps[0].counts, (Counts{{"answers", 2}, {"answers cut at max_tokens", 1}}));
  EXPECT_EQ(result.steps[0].findings.find("model_hash")->string(), "scripted");
}

TEST(SelfSample, EveryPromptOfARecordIsAnsweredOnceHoweverManyAnswersItHas) {
  Record record{.id = "turns"};
  record.nodes = {node(-1, Role::user, "one"), node(0, Role::assistant, "a"), node(1, Role::user, "two"),
                  node(2, Role::assistant, "b"), node(2, Role::assistant, "c")};
  record.completions = {{0, 1}, {2, 3}, {2, 4}};
  const Curated result = curated({record}, "[{synth/self-sample: {model: M, k: 1}}]");
  const Record& found = result.dataset.records[0];
  ASSERT_EQ(found.completions.size(), 5U);
  EXPECT_EQ(found.completions[3].after, 0);
  EXPECT_EQ(completion_text(found, found.completions[3]), "user: one|0/0/0");
  EXPECT_EQ(found.completions[4].after, 2);
  EXPECT_EQ(completion_text(found, found.completions[4]),
            "user: one|assistant: a|user: two|0/" + std::to_string(std::int64_t{1} << 40) + "/0");
  EXPECT_EQ(found.nodes.back().message.role, Role::assistant);
}

TEST(SelfSample, APromptWithoutAnyAnswerIsAnsweredToo) {
  const Curated result = curated({answered("Q? ", {})}, "[{synth/self-sample: {model: M, k: 2}}]");
  EXPECT_EQ(result.dataset.records[0].completions, (std::vector<Completion>{{0, 1}, {0, 2}}));
}

TEST(SelfSample, SaysWhatItDidNotAnswerAndWhatItLeftOut) {
  Record no_prompt{.id = "none"};
  no_prompt.nodes = {node(-1, Role::plain, "text")};
  no_prompt.completions = {{-1, 0}};
  Record answered_already{.id = "done"};
  answered_already.nodes = {node(-1, Role::user, "q"), node(0, Role::assistant, "a")};
  const std::vector<Record> records = {no_prompt, answered_already, answered("too long", {"x"}), answered("q", {"x"})};
  const Curated result = curated(records, "[{synth/self-sample: {model: M, k: 3}}]");
  EXPECT_EQ(result.steps[0].counts, (Counts{{"answers", 2},
                                            {"answers cut at max_tokens", 1},
                                            {"left out: an empty answer", 1},
                                            {"skipped: no prompt", 1},
                                            {"skipped: the conversation waits for no answer", 1},
                                            {"skipped: a prompt that is empty or leaves the model no room", 1}}));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(result.dataset.records[i], records[i]);
}

TEST(SelfSample, AnInstructionIsForTheModelAndNotForTheData) {
  Record chat;
  chat.nodes = {node(-1, Role::user, "q"), node(0, Role::assistant, "a")};
  chat.completions = {{0, 1}};
  Record led;
  led.nodes = {node(-1, Role::system, "s"), node(0, Role::user, "q"), node(1, Role::assistant, "a")};
  led.completions = {{1, 2}};
  const Curated result =
      curated({answered("q", {"a"}), chat, led}, "[{synth/self-sample: {model: M, k: 1, instruction: be kind}}]");
  const auto& records = result.dataset.records;
  const auto written = [&](std::size_t i) { return completion_text(records[i], records[i].completions.back()); };
  EXPECT_EQ(written(0), "plain: be kind\n\nq|0/0/0");
  EXPECT_EQ(written(1), "system: be kind|user: q|0/1/0");
  EXPECT_EQ(written(2), "system: s\n\nbe kind|user: q|0/2/0");
  EXPECT_EQ(prompt_text(records[0], records[0].completions.back()), "q");
  EXPECT_EQ(prompt_messages(records[1], records[1].completions.back()).size(), 1U);
  EXPECT_EQ(text_of(records[2].nodes[0].message), "s");
}

TEST(SelfSample, OptionsThatMakeNoSenseAreRefused) {
  for (const char* options : {"k: 1", "model: M, k: 0", "model: M, temperature: -1", "model: M, top_p: 0",
                              "model: M, top_p: 1.5", "model: M, max_tokens: 0", "model: M, batch: 0", "modle: M"}) {
    EXPECT_THROW(testing::operators_of(std::string("[{synth/self-sample: {") + options + "}}]"), ConfigError)
        << options;
  }
}

}  // namespace
}  // namespace attune
