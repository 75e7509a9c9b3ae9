// `attune tokenize` as users call it.
#include <gmock/gmock.h>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/cli/verbs.h"
#include "attune/text/tokenizer_file.h"
#include "support/temporary.h"

namespace attune {
namespace {

using ::testing::HasSubstr;

class Tokenize : public ::testing::Test {
 protected:
  Tokenize() {
    file("tokenizer.json",
         write_tokenizer_json({.merges = {{"h", "i"}}, .special = {"<|im_start|>", "<|im_end|>"}}));  // hi is 256
  }
  std::string file(const std::string& name, const std::string& text) {
    write_durably(disk(), directory_ / name, text);
    return (directory_ / name).string();
  }
  std::string tokenize(std::vector<std::string> words) {
    words.insert(words.begin(), {"--tokenizer", directory_.path().string()});
    Arguments arguments("tokenize", std::move(words));
    ::testing::internal::CaptureStdout();
    try {
      run_tokenize(arguments);
    } catch (...) {
      ::testing::internal::GetCapturedStdout();
      throw;
    }
    return ::testing::internal::GetCapturedStdout();
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(Tokenize, AnswersIdsARowAndTakesThemBack) {
  const std::string texts = file("texts.jsonl", "{\"text\": \"hi\"}\n\"<|im_end|>\"\n");
  EXPECT_EQ(tokenize({texts}), "{\"ids\":[256]}\n{\"ids\":[60,124,105,109,95,101,110,100,124,62]}\n");
  EXPECT_EQ(tokenize({texts, "--special", "auto"}), "{\"ids\":[256]}\n{\"ids\":[258]}\n");
  EXPECT_EQ(tokenize({file("lines.txt", "hi\n\n[1]\nhi")}),
            "{\"ids\":[256]}\n{\"ids\":[]}\n{\"ids\":[91,49,93]}\n{\"ids\":[256]}\n");
  EXPECT_EQ(tokenize({"--decode", file("ids.jsonl", "{\"ids\": [256, 33]}\n[256]\n")}),
            "{\"text\":\"hi!\"}\n{\"text\":\"hi\"}\n");
}

TEST_F(Tokenize, AnswersTextIdsAndMaskOfConversations) {
  const std::string chat =
      file("chat.jsonl", R"({"messages": [{"role": "user", "content": "h"}, {"role": "assistant", "content": "hi"}]})");
  const std::string source =
      "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt "
      "%}<|im_start|>{% endif %}";
  EXPECT_EQ(tokenize({"--messages", chat, "--template", file("t.jinja", source)}),
            "{\"text\":\"<|im_start|>h<|im_end|><|im_start|>hi<|im_end|>\",\"ids\":[257,104,258,257,256,258],\"mask\":["
            "0,0,0,0,1,1]}\n");
  EXPECT_THROW(tokenize({"--messages", chat}), FormatError);  // no template
}

TEST_F(Tokenize, NamesTheLineThatIsWrong) {
  const auto failure = [&](std::vector<std::string> words) {
    try {
      return tokenize(std::move(words));
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(failure({file("cut.jsonl", "\"a\"\n{\"text\": \"b")}), HasSubstr("cut.jsonl:2"));
  EXPECT_THAT(failure({file("other.jsonl", "{\"body\": 1}")}), HasSubstr("field text"));
  EXPECT_THAT(failure({file("chat.jsonl", "[1]"), "--decode", "--messages", "x"}), HasSubstr("one of them"));
  EXPECT_THAT(failure({"--messages", file("refused.jsonl", "\n{\"messages\": []}\n{\"messages\": 1}"), "--template",
                       file("t.jinja", "x")}),
              HasSubstr("refused.jsonl:3"));
  EXPECT_THAT(failure({"--special", "most"}), HasSubstr("none or auto"));
}

}  // namespace
}  // namespace attune
