#include "attune/generate/stop_strings.h"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>

namespace attune {
namespace {

// A tokenizer of bytes, whose texts end in U+FFFD while a character of two bytes is not whole.
std::string decode(std::span<const std::int32_t> ids) {
  std::string text;
  for (const std::int32_t id : ids) text.push_back(static_cast<char>(id));
  if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0)
    text.replace(text.size() - 1, 1, "\xEF\xBF\xBD");
  return text;
}

struct Found {
  std::size_t tokens = 0;
  std::string before = {};
  bool operator==(const Found&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Found& found) {
  return out << "'" << found.before << "' after " << found.tokens;
}

// Feeds the bytes one by one; where the first stop string was found.
std::optional<Found> feed(std::string_view bytes, const std::vector<std::string>& stops) {
  const StopStrings::Decode tokenizer = decode;
  StopStrings strings(stops, tokenizer);
  std::vector<std::int32_t> ids;
  for (const char byte : bytes) {
    ids.push_back(static_cast<unsigned char>(byte));
    if (strings.found(ids)) return Found{ids.size(), strings.text_before()};
  }
  return std::nullopt;
}

TEST(StopStrings, AreFoundAcrossTokens) {
  EXPECT_EQ(feed("one two three", {"two"}), (Found{7, "one "}));
  EXPECT_EQ(feed("one two three", {"o"}), (Found{1, ""}));
  EXPECT_EQ(feed("one two three", {"four"}), std::nullopt);
  EXPECT_EQ(feed("one two three", {}), std::nullopt);
}

TEST(StopStrings, TheOneThatIsCompleteFirstEnds) {
  EXPECT_EQ(feed("abcdef", {"cdef", "de"}), (Found{5, "abc"}));
  EXPECT_EQ(feed("abcdef", {"cd", "bcd"}), (Found{4, "a"})) << "of two at once the one that begins first cuts";
}

TEST(StopStrings, OverlapsWithItselfAreSeen) { EXPECT_EQ(feed("aab aaab", {"aaab"}), (Found{8, "aab "})); }

TEST(StopStrings, CharactersOfSeveralTokensAreWaitedFor) {
  EXPECT_EQ(feed("x\xC3\xA9y", {"\xC3\xA9"}), (Found{3, "x"}));
  EXPECT_EQ(feed("\xC3\xA9\xC3\xBC!", {"\xBC!"}), (Found{5, "\xC3\xA9\xC3"}));
}

TEST(StopStrings, EachTokenIsDecodedOnceOrTwice) {
  std::size_t decoded = 0;
  const StopStrings::Decode tokenizer = [&](std::span<const std::int32_t> ids) {
    decoded += ids.size();
    return decode(ids);
  };
  const std::vector<std::string> stops{"never"};
  StopStrings strings(stops, tokenizer);
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(i % 2 == 0 ? 0xC3 : 0xA9);
    EXPECT_FALSE(strings.found(ids));
  }
  EXPECT_LE(decoded, 2000u);
}

}  // namespace
}  // namespace attune
