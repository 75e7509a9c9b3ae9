// Words found with bit masks are those of the character-by-character scanner, on every instruction set of this machine.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "attune/base/random.h"
#include "attune/text/pre_tokenizer.h"
#include "attune/text/tokenizer.h"
#include "support/real_texts.h"
#include "support/word_scanner.h"

namespace attune {
namespace {

using testing::WordScanner;

constexpr WordPattern patterns[] = {WordPattern::gpt2, WordPattern::llama3, WordPattern::qwen2,
                                    WordPattern::everything};

// Runs a test once for each instruction set that this machine has, with the kernels held to it.
template <class Body>
void on_each_target(Body body) {
  const std::int64_t all = hwy::SupportedTargets();
  for (std::int64_t left = all; left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

std::vector<std::string_view> words_of(std::string_view text, WordPattern pattern) {
  std::vector<std::string_view> result;
  Words words(text, pattern);
  for (std::string_view word = words.next(); !word.empty(); word = words.next()) result.push_back(word);
  return result;
}

void expect_same_words(std::string_view text) {
  for (const WordPattern pattern : patterns) {
    const auto expected = WordScanner(text, pattern).words();
    const auto words = words_of(text, pattern);
    ASSERT_EQ(words.size(), expected.size())
        << "pattern " << static_cast<int>(pattern) << " of " << text.substr(0, 200);
    for (std::size_t i = 0; i < words.size(); ++i) {
      ASSERT_EQ(words[i], expected[i]) << "pattern " << static_cast<int>(pattern) << ", word " << i;
      ASSERT_EQ(words[i].data(), expected[i].data());
    }
  }
}

std::string random_text(Random& random, std::size_t pieces, std::span<const std::string_view> alphabet) {
  std::string text;
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::string_view piece = alphabet[random.below(alphabet.size())];
    const std::uint64_t times = random.below(8) == 0 ? random.below(90) : 1;
    for (std::uint64_t k = 0; k < times; ++k) text += piece;
  }
  return text;
}

constexpr std::string_view plain[] = {"a", "B",  "s",    "re",   "LL", "'",    "'s",   "'Ve", " ",
                                      " ", "  ", "\n",   "\r\n", "\t", "1",    "23",   ".",   "-",
                                      "(", "\"", "word", " the", ",",  "\x0b", "\x1c", "_"};
constexpr std::string_view wide[] = {"a", " ",  "\n",   "'",  "1",      ".",      "é",       "“",      "”",
                                     "’", "中", "文",   "。", "\u3000", "\u00a0", "\u0085",  "\u2028", "٣",
                                     "𝟘", "½",  "🦙", "ſ",  "'ſ",     "\u0301", "e\u0301", "\u200b"};

TEST(Words, RandomAsciiIsSplitAsTheExpressionsSay) {
  on_each_target([] {
    Random random(1, "test/words", {});
    for (int i = 0; i < 400; ++i) expect_same_words(random_text(random, random.below(120), plain));
  });
}

TEST(Words, RandomUnicodeIsSplitAsTheExpressionsSay) {
  on_each_target([] {
    Random random(2, "test/words", {});
    for (int i = 0; i < 400; ++i) expect_same_words(random_text(random, random.below(120), wide));
  });
}

TEST(Words, LongTextsAreSplitTheSameAcrossWindows) {
  on_each_target([] {
    Random random(3, "test/words", {});
    for (int i = 0; i < 6; ++i) {
      expect_same_words(random_text(random, 20000, plain));
      expect_same_words(random_text(random, 20000, wide));
    }
    for (const char* piece : {"a", " ", "\n", "1", ".", "'s", "中", " \n", "\u3000", "aa. "}) {
      std::string text;
      while (text.size() < 70000) text += piece;
      expect_same_words(text);
      expect_same_words("x y" + text + "z w");
    }
  });
}

TEST(Words, RealTextsAreSplitAsTheExpressionsSay) {
  const auto texts = testing::real_texts(50'000);
  if (texts.empty()) GTEST_SKIP() << "the shared data folder is absent";
  on_each_target([&] {
    for (const auto& text : texts) expect_same_words(replace_invalid_utf8(text.bytes));
  });
}

}  // namespace
}  // namespace attune
