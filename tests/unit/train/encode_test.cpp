#include "attune/train/encode.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/data/read.h"
#include "attune/text/tokenizer_file.h"
#include "attune/train/chat.h"
#include "support/temporary.h"

namespace attune {
namespace {

using testing::TemporaryDirectory;

class Encode : public ::testing::Test {
 protected:
  Encode() : tokenizer_(make()) {}

  Tokenizer make() {
    write_durably(disk(), directory_ / "tokenizer.json",
                  write_tokenizer_json({.merges = {{"a", "b"}, {" ", "a"}}, .special = {"<|end|>"}}));
    write_durably(disk(), directory_ / "tokenizer_config.json", "{\"eos_token\": \"<|end|>\"}");
    return Tokenizer::load(directory_.path());
  }

  Dataset dataset(const std::string& rows) {
    write_durably(disk(), directory_ / "rows.jsonl", rows);
    return read_dataset({{.path = (directory_ / "rows.jsonl").string()}}).dataset;
  }

  std::string scored_text(const TokenRecord& record, std::size_t completion) {
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < record.completions[completion].ids.size(); ++i) {
      if (record.completions[completion].scored[i] != 0) ids.push_back(record.completions[completion].ids[i]);
    }
    return tokenizer_.decode(ids);
  }

  TemporaryDirectory directory_;
  Tokenizer tokenizer_;
};

TEST_F(Encode, ThePromptIsSharedAndEveryAnswerEndsWithExactlyOneEndOfText) {
  const auto data = encode(dataset(R"({"prompt":"x:","chosen":" yes","rejected":" no<|end|>"})"), tokenizer_, {});
  const TokenRecord& record = data.records.at(0);
  EXPECT_EQ(tokenizer_.decode(record.prompt), "x:");
  EXPECT_EQ(scored_text(record, 0), " yes<|end|>");
  EXPECT_EQ(scored_text(record, 1), " no<|end|>");
  EXPECT_EQ(record.scored_tokens, (std::vector<std::int64_t>{5, 4}));
  ASSERT_EQ(record.preferences.size(), 1u);
}

TEST_F(Encode, ATokenThatStraddlesTheBoundaryIsGivenToTheCompletionAndNotScored) {
  // "a" + "b" merge across the boundary: the prompt ends before the merged token.
  const auto data = encode(dataset(R"({"prompt":"xa","chosen":"bc","rejected":"d"})"), tokenizer_, {});
  const TokenRecord& record = data.records.at(0);
  EXPECT_EQ(tokenizer_.decode(record.prompt), "x");
  EXPECT_EQ(tokenizer_.decode(record.completions[0].ids), "abc<|end|>");
  EXPECT_EQ(scored_text(record, 0), "c<|end|>");
  EXPECT_EQ(scored_text(record, 1), "d<|end|>");
}

TEST_F(Encode, WithAnEmptyPromptTheFirstTokenHasNoPredictor) {
  const auto data = encode(dataset(R"({"prompt":"","completion":"xyz"})"), tokenizer_, {});
  EXPECT_TRUE(data.records.at(0).prompt.empty());
  EXPECT_EQ(scored_text(data.records.at(0), 0), "yz<|end|>");
}

TEST_F(Encode, CompletionsAreCutAtTheEndAndPromptsThatFillTheLimitAreDroppedAndCounted) {
  const std::string rows = R"({"prompt":"12345","chosen":"6789","rejected":"x"})"
                           "\n"
                           R"({"prompt":"12345678","chosen":"9","rejected":"x"})";
  const auto data = encode(dataset(rows), tokenizer_, {.max_tokens = 8});
  EXPECT_EQ(data.report.records, 1);
  EXPECT_EQ(data.report.long_prompts, 1);
  EXPECT_EQ(data.report.truncated, 1);
  EXPECT_EQ(scored_text(data.records.at(0), 0), "678");
  EXPECT_THROW(encode(dataset(rows), tokenizer_, {.max_tokens = 5}), DataError);
}

TEST_F(Encode, ConversationsScoreOnlyTheTurnsOfTheCompletion) {
  write_durably(disk(), directory_ / "chat.jinja",
                "{% for m in messages %}{% if m.role == 'assistant' %}A:{% generation %}{{ m.content }}{{ eos_token }}"
                "{% endgeneration %}{% else %}U:{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt "
                "%}A:{% endif %}");
  const auto data = encode(
      dataset(
          R"({"prompt":[{"role":"user","content":"q"},{"role":"assistant","content":"old"},{"role":"user","content":"r"}],)"
          R"("chosen":[{"role":"assistant","content":"new"}],"rejected":[{"role":"assistant","content":"bad"}]})"),
      tokenizer_, {.chat = chat_encoder((directory_ / "chat.jinja").string(), tokenizer_)});
  const TokenRecord& record = data.records.at(0);
  EXPECT_EQ(tokenizer_.decode(record.prompt), "U:qA:old<|end|>U:rA:");
  EXPECT_EQ(scored_text(record, 0), "new<|end|>");
  EXPECT_EQ(scored_text(record, 1), "bad<|end|>");
}

TEST_F(Encode, AConversationWithoutATemplateIsRefused) {
  EXPECT_THROW(encode(dataset(R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]})"),
                      tokenizer_, {}),
               ConfigError);
}

TEST_F(Encode, GoldAnswersContinueThePromptAndOnlyWhereTheyAreAskedFor) {
  const Dataset rows = dataset(R"({"prompt":"x:","chosen":" yes","rejected":" no","reference":" gold"})");
  EXPECT_EQ(encode(rows, tokenizer_, {}).records.at(0).reference_answer, -1);
  const auto data = encode(rows, tokenizer_, {.reference_answers = true});
  const TokenRecord& record = data.records.at(0);
  ASSERT_EQ(record.reference_answer, 2);
  EXPECT_FALSE(record.completions[2].alone);
  EXPECT_EQ(tokenizer_.decode(record.prompt), "x:");
  EXPECT_EQ(scored_text(record, 2), " gold<|end|>");
}

TEST_F(Encode, AReasonStandsAloneBehindTheQuestionAndBothAnswers) {
  const auto data = encode(dataset(R"({"prompt":"x:","chosen":" yes","rejected":" no","rationale":"kinder"})"),
                           tokenizer_, {.rationales = true});
  const TokenRecord& record = data.records.at(0);
  ASSERT_EQ(record.preferences.at(0).rationale, 2);
  EXPECT_TRUE(record.completions[2].alone);
  EXPECT_EQ(tokenizer_.decode(record.prompt), "x:") << "the answers still share their prompt";
  EXPECT_EQ(scored_text(record, 2), "kinder<|end|>");
  const std::string all = tokenizer_.decode(record.completions[2].ids);
  EXPECT_EQ(
      all,
      "Question:\nx:\n\nAnswer A:\n yes\n\nAnswer B:\n no\n\nAnswer A is the better one. Explain why.\nkinder<|end|>");
  EXPECT_EQ(record.sequence_tokens[2], static_cast<std::int64_t>(record.completions[2].ids.size()));
}

TEST_F(Encode, ScoresWeightsSamplerLogProbabilitiesAndDegreesReachTheRecord) {
  const auto data = encode(
      dataset(R"({"attune":"dataset"})"
              "\n"
              R"({"nodes":[{"role":"plain","content":"q"},{"role":"plain","content":"a"},)"
              R"({"parent":0,"role":"plain","content":"b"}],"completions":[{"after":0,"last":1},{"after":0,"last":2}],)"
              R"("feedback":[{"rating":{"attribute":"score","value":2.5},"on":{"completion":0},"weight":3},)"
              R"({"signal":{"kind":"logp","value":-7},"on":{"completion":1}},)"
              R"({"label":{"name":"degree","value":"2"},"on":{"completion":1}}]})"),
      tokenizer_, {});
  const TokenRecord& record = data.records.at(0);
  ASSERT_EQ(record.labels.size(), 2u);
  EXPECT_EQ(record.labels[0].score, 2.5);
  EXPECT_EQ(record.labels[0].weight, 3);
  EXPECT_TRUE(std::isnan(record.labels[0].behaviour_logp));
  EXPECT_EQ(record.labels[1].behaviour_logp, -7);
  EXPECT_EQ(record.labels[1].level, 2);
}

// The works_when of steerlm, its first half: no token of the prompt, of a header or of the attributes gets loss.
TEST_F(Encode, SteerLmScoresTheAnswerAndItsEndAndNothingElse) {
  const Path steerlm = Path(ATTUNE_SOURCE_DIR) / "recipes/templates/steerlm.jinja";
  const auto data = encode(dataset(R"({"attune":"dataset"})"
                                   "\n"
                                   R"({"nodes":[{"role":"user","content":"Hi"},{"role":"assistant","content":"No."},)"
                                   R"({"role":"user","content":"Why?"},{"role":"assistant","content":"Sorry."}],)"
                                   R"("completions":[{"after":2,"last":3}],"feedback":[)"
                                   R"({"rating":{"attribute":"quality","value":1},"on":{"node":1}},)"
                                   R"({"rating":{"attribute":"quality","value":4},"on":{"completion":0}},)"
                                   R"({"rating":{"attribute":"toxicity","value":0},"on":{"completion":0}}]})"),
                           tokenizer_, {.chat = chat_encoder(steerlm.string(), tokenizer_)});
  const TokenRecord& record = data.records.at(0);
  EXPECT_EQ(tokenizer_.decode(record.prompt) + tokenizer_.decode(record.completions[0].ids),
            "<extra_id_0>System\n\n<extra_id_1>User\nHi\n<extra_id_1>Assistant\n<extra_id_2>quality:1\nNo.\n"
            "<extra_id_1>User\nWhy?\n<extra_id_1>Assistant\n<extra_id_2>quality:4,toxicity:0\nSorry.\n<extra_id_1>");
  EXPECT_EQ(scored_text(record, 0), "Sorry.\n<extra_id_1>");
  const PromptEncoder prompt(steerlm.string(), tokenizer_, "quality:4,toxicity:0");
  const Dataset asked = dataset(R"({"prompt":[{"role":"user","content":"Hi"}]})");
  EXPECT_EQ(tokenizer_.decode(prompt(asked.records.at(0))),
            "<extra_id_0>System\n\n<extra_id_1>User\nHi\n<extra_id_1>Assistant\n<extra_id_2>quality:4,toxicity:0\n");
}

}  // namespace
}  // namespace attune
