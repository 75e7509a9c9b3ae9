#include "attune/train/encode.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace attune
