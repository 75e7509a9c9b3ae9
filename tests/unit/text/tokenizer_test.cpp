#include "attune/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <optional>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/base/random.h"
#include "attune/text/tokenizer_file.h"
#include "attune/text/unicode.h"
#include "support/temporary.h"

namespace attune {
namespace {

using ::testing::HasSubstr;

// Bytes, then "ab" 256, "abab" 257, "aa" 258, "aaaa" 259, then <s> 260, </s> 261, <think> as named.
std::string small(WordPattern pattern = WordPattern::gpt2) {
  return write_tokenizer_json(
      {.merges = {{"a", "b"}, {"ab", "ab"}, {"a", "a"}, {"aa", "aa"}}, .special = {"<s>", "</s>"}, .pattern = pattern});
}

// The small file with one member replaced: path as "model.merges".
std::string changed(const std::string& path, Json value, const std::string& source = small()) {
  Json root = Json::parse(source);
  Json* place = &root;
  std::size_t at = 0;
  for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', at)) {
    place = const_cast<Json*>(place->find(path.substr(at, dot - at)));
    at = dot + 1;
  }
  place->set(path.substr(at), std::move(value));
  return root.str();
}

std::string refusal(const std::string& json) {
  try {
    Tokenizer::from_json(json);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Tokenizer, MergesTheLowestRankFirstAndTheLeftmostOfEquals) {
  const Tokenizer tokenizer = Tokenizer::from_json(small());
  EXPECT_EQ(tokenizer.encode("abab"), (std::vector<std::int32_t>{257}));
  EXPECT_EQ(tokenizer.encode("aab"), (std::vector<std::int32_t>{'a', 256}));  // a+b ranks before a+a
  EXPECT_EQ(tokenizer.encode("aaaaaaa"), (std::vector<std::int32_t>{259, 258, 'a'}));
  EXPECT_EQ(tokenizer.vocabulary_size(), 262);
  EXPECT_EQ(tokenizer.token_id("abab"), 257);
  EXPECT_EQ(tokenizer.token_id("none"), std::nullopt);
}

// Tokens of the letters a to c and a tokenizer that merges them.
struct LetterMerges {
  explicit LetterMerges(Random& random) {
    while (merges.size() < 60) {
      const std::string left = tokens[random.below(tokens.size())], right = tokens[random.below(tokens.size())];
      if (left.size() + right.size() > 9 || std::ranges::count(tokens, left + right)) continue;
      merges.emplace_back(left, right);
      tokens.push_back(left + right);
    }
  }

  // The definition: the pair of lowest rank, the leftmost, until none is left.
  std::vector<std::string> plainly(const std::string& word) const {
    std::vector<std::string> pieces;
    for (const char c : word) pieces.emplace_back(1, c);
    for (;;) {
      std::size_t best = merges.size(), place = 0;
      for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
        const auto found = ranks.find({pieces[i], pieces[i + 1]});
        if (found != ranks.end() && found->second < best) best = found->second, place = i;
      }
      if (best == merges.size()) return pieces;
      pieces[place] += pieces[place + 1];
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    }
  }

  void expect_plain_ids(const std::string& word) {
    if (!tokenizer) {
      for (std::size_t i = 0; i < merges.size(); ++i) ranks[merges[i]] = i;
      tokenizer.emplace(Tokenizer::from_json(write_tokenizer_json({.merges = merges})));
    }
    std::vector<std::int32_t> expected;
    for (const std::string& piece : plainly(word)) expected.push_back(*tokenizer->token_id(piece));
    EXPECT_EQ(tokenizer->encode(word), expected) << word;
  }

  std::vector<std::string> tokens = {"a", "b", "c"};
  std::vector<std::pair<std::string, std::string>> merges = {};
  std::map<std::pair<std::string, std::string>, std::size_t> ranks = {};
  std::optional<Tokenizer> tokenizer = {};
};

TEST(Tokenizer, LongWordsHaveTheIdsOfAPlainSearchForTheBestPair) {
  Random random(7, "words");
  LetterMerges letters(random);
  for (int round = 0; round < 200; ++round) {
    std::string word;
    for (std::uint64_t size = 1 + random.below(200); word.size() < size;)
      word += static_cast<char>('a' + random.below(3));
    letters.expect_plain_ids(word);
  }
}

TEST(Tokenizer, RepetitionsHaveTheIdsOfAPlainSearchForTheBestPair) {
  Random random(8, "repetitions");
  for (int round = 0; round < 60; ++round) {
    LetterMerges letters(random);
    for (const std::string unit : {"a", "b", "ab", "ba", "abc", "aab", "abb", "aabc", "abab", "acbc"}) {
      std::string word;
      while (word.size() < 256 + random.below(12)) word += unit;
      word.resize(word.size() - random.below(unit.size()));
      letters.expect_plain_ids(word);
    }
  }
}

TEST(Tokenizer, UserTextMayNotWriteControlTokens) {
  const Tokenizer tokenizer = Tokenizer::from_json(small());
  const std::string text = "<s>a</s>";
  EXPECT_EQ(tokenizer.encode(text), (std::vector<std::int32_t>{260, 'a', 261}));
  EXPECT_EQ(tokenizer.encode(text, {.spellings = Spellings::none}),
            (std::vector<std::int32_t>{'<', 's', '>', 'a', '<', '/', 's', '>'}));
  const OriginSpan user[] = {{3, 8, Origin::untrusted}};
  EXPECT_EQ(tokenizer.encode(text, {.origins = user}), (std::vector<std::int32_t>{260, 'a', '<', '/', 's', '>'}));
  const OriginSpan one_byte[] = {{7, 8, Origin::assistant}};  // a single foreign byte spoils the spelling
  EXPECT_EQ(tokenizer.encode(text, {.origins = one_byte}), (std::vector<std::int32_t>{260, 'a', '<', '/', 's', '>'}));
}

TEST(Tokenizer, AnAssistantMayWriteAddedTokensThatAreNotSpecial) {
  Json added = *Json::parse(small()).find("added_tokens");
  added.push_back(Json::object({{"id", 262}, {"content", "<think>"}, {"special", false}, {"normalized", false}}));
  const Tokenizer tokenizer = Tokenizer::from_json(changed("added_tokens", added));
  const OriginSpan assistant[] = {{0, 10, Origin::assistant}}, user[] = {{0, 10, Origin::untrusted}};
  EXPECT_EQ(tokenizer.encode("<think><s>", {.origins = assistant}), (std::vector<std::int32_t>{262, '<', 's', '>'}));
  EXPECT_EQ(tokenizer.encode("<think><s>", {.origins = user}).size(), 10u);
  EXPECT_EQ(tokenizer.encode("<think><s>", {.spellings = Spellings::not_special}).size(), 4u);
}

TEST(Tokenizer, SpansCoverTheTextAndItsBytes) {
  const Tokenizer tokenizer = Tokenizer::from_json(small());
  const Encoding encoding = tokenizer.encode_with_offsets("ab <s>\xC3\xA9");
  EXPECT_EQ(encoding.ids, (std::vector<std::int32_t>{256, ' ', 260, 0xC3, 0xA9}));
  EXPECT_EQ(encoding.spans, (std::vector<ByteSpan>{{0, 2}, {2, 3}, {3, 6}, {6, 7}, {7, 8}}));
}

TEST(Tokenizer, BytesThatAreNoUtf8BecomeReplacementCharacters) {
  const Tokenizer tokenizer = Tokenizer::from_json(small());
  const Encoding encoding = tokenizer.encode_with_offsets("a\xFF\xE4\xB8z");
  EXPECT_EQ(tokenizer.decode(encoding.ids), "a\uFFFD\uFFFDz");
  EXPECT_EQ(encoding.spans.back(), (ByteSpan{4, 5}));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{'a', 0xE4, 0xB8, 'z', 0x80, 99999, -1}), "a\uFFFDz\uFFFD");
}

TEST(Tokenizer, StreamsOnlyWholeCharacters) {
  const Tokenizer tokenizer = Tokenizer::from_json(small());
  StreamingDecoder stream(tokenizer);
  EXPECT_EQ(stream.add(0xF0), "");
  EXPECT_EQ(stream.add(0x9F), "");
  EXPECT_EQ(stream.add(0xA6), "");
  EXPECT_EQ(stream.add(0x99), "\U0001F999");
  EXPECT_EQ(stream.add(261), "");  // special
  EXPECT_EQ(stream.add(0xE4), "");
  EXPECT_EQ(stream.add('a'), "\uFFFDa");
  EXPECT_EQ(stream.add(0xE4), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
}

TEST(Tokenizer, ReadsTheRolesOfSpecialTokensAndNeverMakesOneUp) {
  const testing::TemporaryDirectory folder;
  std::ofstream(folder / "tokenizer.json") << small();
  std::ofstream(folder / "tokenizer_config.json")
      << R"({"bos_token": null, "eos_token": {"content": "</s>"}, "chat_template": "{{ eos_token }}"})";
  std::ofstream(folder / "generation_config.json") << R"({"eos_token_id": [261, 7], "bos_token_id": 260})";
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.bos(), std::nullopt);
  EXPECT_EQ(tokenizer.eos(), 261);
  EXPECT_EQ(tokenizer.pad(), std::nullopt);
  EXPECT_EQ(tokenizer.stop_ids(), (std::vector<std::int32_t>{261, 7}));
  ASSERT_EQ(tokenizer.chat_templates().size(), 1u);
  std::ofstream(folder / "special_tokens_map.json") << R"({"pad_token": "</s>", "unk_token": null})";
  std::ofstream(folder / "chat_template.jinja") << "file";
  const Tokenizer again = Tokenizer::load(folder / "tokenizer.json");
  EXPECT_EQ(again.pad(), again.eos());  // pad = eos is allowed
  EXPECT_EQ(again.chat_templates()[0].text, "file");
  std::ofstream(folder / "special_tokens_map.json") << R"({"pad_token": "[PAD]"})";
  EXPECT_THROW(Tokenizer::load(folder.path()), FormatError);
  EXPECT_THROW(Tokenizer::load(folder / "absent"), MissingInput);
}

TEST(TokenizerFile, RefusesWhatItDoesNotKnowByName) {
  EXPECT_THAT(refusal(small().substr(0, 500)), HasSubstr("no JSON"));
  EXPECT_THAT(refusal("[]"), HasSubstr("expected an object"));
  const auto kind = [](const char* type) { return Json::object({{"type", type}}); };
  EXPECT_THAT(refusal(changed("model", kind("Recurrent"))), HasSubstr("\"Recurrent\""));
  EXPECT_THAT(refusal(changed("normalizer", kind("Uppercase"))), HasSubstr("\"Uppercase\""));
  EXPECT_THAT(refusal(changed("pre_tokenizer", kind("UnicodeScripts"))), HasSubstr("\"UnicodeScripts\""));
  EXPECT_THAT(refusal(changed("post_processor", kind("PairProcessing"))), HasSubstr("\"PairProcessing\""));
  EXPECT_THAT(refusal(changed("decoder", kind("CTC"))), HasSubstr("\"CTC\""));
  EXPECT_THAT(refusal(changed("model", kind("Unigram"))), HasSubstr("model.vocab"));
  EXPECT_THAT(refusal(changed("post_processor", kind("BertProcessing"))), HasSubstr("post_processor.cls"));
  const auto splitting_at = [](const char* expression) {
    std::string text = small(WordPattern::llama3);
    const std::size_t at = text.find("(?i:");
    text.replace(at, text.find('"', at) - at, expression);
    return refusal(text);
  };
  EXPECT_THAT(splitting_at("(?<name>a)"), HasSubstr("a regular expression with an unknown kind of group at byte 1"));
  EXPECT_THAT(splitting_at("a("), HasSubstr("'(' without ')'"));
  EXPECT_EQ(splitting_at("(a+)+$"), "accepted");
}

TEST(TokenizerFile, NamesTheEntryThatIsWrong) {
  EXPECT_THAT(refusal(changed("model.merges", Json::Array{Json("a b"), Json("a \xC3\xA9")})),
              HasSubstr("model.merges[1]"));
  EXPECT_THAT(refusal(changed("model.merges", Json::Array{Json("abab")})), HasSubstr("two tokens"));
  EXPECT_THAT(refusal(changed("model.vocab.ab", 5)), HasSubstr("model.vocab[256]"));
  EXPECT_THAT(refusal(changed("model.vocab.ab", -1)), HasSubstr("id -1"));
  EXPECT_THAT(refusal(changed("model.vocab.ab", std::int64_t{1} << 40)), HasSubstr("from 0 to"));
  EXPECT_THAT(refusal(changed("model.vocab", Json::object(), changed("model.merges", Json::array()))),
              HasSubstr("no token for byte 9"));
  const auto added = [](int id, const char* content) {
    return changed("added_tokens", Json::Array{Json::object({{"id", id}, {"content", content}})});
  };
  EXPECT_THAT(refusal(added(300, "")), HasSubstr("added_tokens[0]"));
  EXPECT_THAT(refusal(added(7, "<x>")), HasSubstr("one id a token"));
  EXPECT_THAT(refusal(added(300, "ab")), HasSubstr("one id a token"));
}

TEST(TokenizerFile, CutAndChangedFilesAreRefusedOrRead) {
  const std::string whole = small(WordPattern::qwen2);
  Random random(3, "mutations");
  for (int round = 0; round < 400; ++round) {
    std::string text = whole;
    if (round % 2) {
      text.resize(random.below(text.size()));
    } else {
      for (int i = 0; i < 3; ++i) text[random.below(text.size())] = static_cast<char>(random.below(128));
    }
    try {
      Tokenizer::from_json(text).encode("a test <s>");
    } catch (const FormatError&) {
    }
  }
}

TEST(Tokenizer, BatchesEqualSingleTexts) {
  const Tokenizer tokenizer = Tokenizer::from_json(small());
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i)
    texts.push_back(std::string(static_cast<std::size_t>(i % 7), 'a') + "b <s> " + std::to_string(i));
  const auto ids = tokenizer.encode_batch(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(ids[i], tokenizer.encode(texts[i]));
}

TEST(Tokenizer, AMegabyteOfOneClassTakesLinearTime) {
  for (const WordPattern pattern : {WordPattern::gpt2, WordPattern::llama3}) {
    const Tokenizer tokenizer = Tokenizer::from_json(small(pattern));
    for (const std::string unit : {"a", " ", "\n", "中", "\u0301", ".", "1", "\u200D", " \n", "ab", "<"}) {
      std::string text;
      while (text.size() < 1'000'000) text += unit;
      const auto begin = std::chrono::steady_clock::now();
      const std::vector<std::int32_t> ids = tokenizer.encode(text);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      EXPECT_LT(seconds.count(), 1.0) << "of " << unit;
      EXPECT_EQ(tokenizer.decode(ids), text);
    }
  }
}

TEST(Unicode, CaseChangesArePythons) {
  EXPECT_EQ(upper_case("straße ﬁ \u0390"), "STRASSE FI \u0399\u0308\u0301");
  EXPECT_EQ(lower_case("ΑΣ ΑΣΑ İ"), "ας ασα i̇");
  EXPECT_EQ(capitalized("ǆ HELLO"), "ǅ hello");
  EXPECT_EQ(title_case("they're HERE"), "They'Re Here");
}

TEST(Unicode, NormalizationTellsWhereItsBytesComeFrom) {
  const Normalized normalized = normalize_nfc("ae\u0301b");
  EXPECT_EQ(normalized.text, "a\u00E9b");
  ASSERT_EQ(normalized.pieces.size(), 3u);
  EXPECT_EQ(normalized.pieces[1].source_begin, 1u);
  EXPECT_EQ(normalized.pieces[1].source_end, 4u);
  EXPECT_TRUE(normalize_nfc("a\u00E9b").pieces.empty());
}

}  // namespace
}  // namespace attune
