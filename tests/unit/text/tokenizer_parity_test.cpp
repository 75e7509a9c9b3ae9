// Ids, offsets and decoded text of the `tokenizers` package (tests/parity/record_tokenizers.py), and golden ids.
#include <gtest/gtest.h>
#include <zlib.h>

#include "attune/text/byte_level.h"
#include "attune/text/tokenizer.h"
#include "attune/text/tokenizer_file.h"
#include "attune/text/unicode.h"
#include "support/real_texts.h"
#include "support/recorded.h"
#include "support/temporary.h"

namespace attune {
namespace {

std::vector<std::int32_t> integers(const Json& array) {
  std::vector<std::int32_t> values;
  for (const Json& value : array.items()) values.push_back(static_cast<std::int32_t>(value.integer()));
  return values;
}

class TokenizerParity : public ::testing::TestWithParam<const char*> {
 protected:
  static const Json& record() {
    static const Json record = testing::recorded("tokenizers");
    return record;
  }
  TokenizerParity() {
    Json file = *record().find("tokenizers")->find(GetParam());
    const Json* first = record().find("tokenizers")->find("gpt2")->find("model");  // the shared vocabulary
    Json& model = const_cast<Json&>(*file.find("model"));
    model.set("vocab", *first->find("vocab"));
    model.set("merges", *first->find("merges"));
    tokenizer_ = std::make_unique<Tokenizer>(Tokenizer::from_json(file.str()));
  }
  const Json& family(const char* key) const { return *record().find("families")->find(GetParam())->find(key); }
  const Json::Array& strings() const { return record().find("strings")->items(); }

  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(TokenizerParity, RandomUnicodeStringsHaveTheSameIds) {
  for (std::size_t i = 0; i < strings().size(); ++i) {
    const std::string& text = strings()[i].string();
    EXPECT_EQ(tokenizer_->encode(text, {.add_special_tokens = true}), integers(family("ids").items()[i])) << text;
    EXPECT_EQ(testing::Fnv().add(tokenizer_->encode(text)).hex(), family("plain_hash").items()[i].string()) << text;
  }
}

TEST_P(TokenizerParity, SpecialSpellingsCanBePlainText) {
  const Json::Array& expected = family("not_special").items();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::string& text = strings()[i].string();
    EXPECT_EQ(tokenizer_->encode(text, {.spellings = Spellings::not_special}), integers(expected[i])) << text;
  }
}

TEST_P(TokenizerParity, EveryCodePointOfUnicodeHasTheSameIds) {
  const Json::Array& pages = family("pages").items();
  for (std::size_t page = 0; page < pages.size(); ++page) {
    testing::Fnv hash;
    for (char32_t code_point = static_cast<char32_t>(page * 4096); code_point < (page + 1) * 4096; ++code_point) {
      if (code_point >= 0xD800 && code_point < 0xE000) continue;
      std::string c;
      append_utf8(c, code_point);
      hash.add(
          tokenizer_->encode("a" + c + "b " + c + c + " 1" + c + "2\n" + c + "\n '" + c + " e" + c + "\u0301  " + c));
    }
    EXPECT_EQ(hash.hex(), pages[page].string()) << "code points from " << page * 4096;
  }
}

TEST_P(TokenizerParity, OffsetsAreThoseOfTheSameCharacters) {
  const Json::Array& expected = family("characters").items();  // character offsets; ours are bytes
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::string& text = strings()[i].string();
    const Encoding encoding = tokenizer_->encode_with_offsets(text);
    ASSERT_EQ(encoding.spans.size(), expected[i].size()) << text;
    for (std::size_t k = 0; k < encoding.spans.size(); ++k) {
      const auto [begin, end] = encoding.spans[k];
      const auto characters = [&](std::size_t at) {
        return static_cast<std::int64_t>(code_point_count(text.substr(0, at)));
      };
      const auto starts = [&](std::size_t at) { return at == text.size() || (text[at] & 0xC0) != 0x80; };
      const std::vector<std::int32_t> theirs = integers(expected[i].items()[k]);
      if (starts(begin)) {
        EXPECT_EQ(characters(begin), theirs[0]) << text << " token " << k;
      }
      if (starts(end)) {
        EXPECT_EQ(characters(end), theirs[1]) << text << " token " << k;
      }
    }
  }
}

TEST_P(TokenizerParity, DecodedTextIsTheSame) {
  for (std::size_t i = 0; i < strings().size(); ++i) {
    const std::vector<std::int32_t> ids = integers(family("ids").items()[i]);
    EXPECT_EQ(testing::Fnv().add(tokenizer_->decode(ids, true)).hex(), family("decoded_hash").items()[i].string());
    if (i >= family("halves").size()) continue;
    const auto half = std::span(ids).first(std::min(ids.size(), ids.size() / 2 + 1));
    EXPECT_EQ(tokenizer_->decode(half), family("halves").items()[i].string());
    StreamingDecoder stream(*tokenizer_, false);
    std::string streamed;
    for (const std::int32_t id : half) {
      streamed += stream.add(id);
      EXPECT_TRUE(valid_utf8(streamed));
    }
    EXPECT_EQ(streamed + stream.finish(), tokenizer_->decode(half));
  }
}

INSTANTIATE_TEST_SUITE_P(Families, TokenizerParity, ::testing::Values("gpt2", "llama3", "qwen2"),
                         [](const auto& one) { return std::string(one.param); });

std::string read_gzip(const Path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  std::string bytes, buffer(1 << 20, '\0');
  for (int size = 1; size > 0;) {
    size = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()));
    bytes.append(buffer.data(), static_cast<std::size_t>(std::max(size, 0)));
  }
  gzclose(file);
  return bytes;
}

// llama.cpp's test strings and the ids its authors got.
void expect_golden_ids(const Tokenizer& tokenizer, const std::string& name) {
  const Path folder = testing::shared_data() / "tokenizers" / "gguf";
  const std::string input = read_file(folder / "ggml-vocab-gpt-2.gguf.inp");  // the same strings for every vocabulary
  const std::string output = read_file(folder / ("ggml-vocab-" + name + ".gguf.out"));
  constexpr std::string_view separator = "\n__ggml_vocab_test__\n";
  std::size_t text_at = 0, line_at = 0, count = 0;
  while (text_at < input.size()) {
    const std::size_t text_end = std::min(input.find(separator, text_at), input.size());
    const std::string text = input.substr(text_at, text_end - text_at);
    const std::size_t line_end = output.find('\n', line_at);
    std::string expected, ours;
    for (const char c : output.substr(line_at, line_end - line_at)) expected += c;
    for (const std::int32_t id : tokenizer.encode(text)) ours += " " + std::to_string(id);
    EXPECT_EQ(ours, expected) << "string " << count << ": " << text;
    text_at = text_end + separator.size();
    line_at = line_end + 1;
    ++count;
  }
  EXPECT_GT(count, 40u);
}

TEST(GoldenIds, Gpt2) {
  if (testing::shared_data().empty()) GTEST_SKIP() << "the shared data folder is absent";
  expect_golden_ids(Tokenizer::from_json(read_gzip(testing::shared_data() / "tokenizers/gpt2.tokenizer.json.gz")),
                    "gpt-2");
}

std::string from_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned buffer = 0, bits = 0;
  for (const char c : text.substr(0, text.find('='))) {
    buffer = buffer << 6 | static_cast<unsigned>(digits.find(c));
    bits += 6;
    if (bits >= 8) bytes += static_cast<char>(static_cast<unsigned char>(buffer >> (bits -= 8) & 0xFF));
  }
  return bytes;
}

// Llama-3's tiktoken ranks as tokenizer.json: a merge for each way to make a token of two others, by rank, and "ignore
// merges", as the published conversion has it.
std::string llama3_json(const std::string& ranks_file) {
  std::vector<std::string> tokens;
  StringTable ranks;
  for (std::size_t at = 0; at < ranks_file.size();) {
    const std::size_t blank = ranks_file.find(' ', at), end = ranks_file.find('\n', at);
    tokens.push_back(from_base64(std::string_view(ranks_file).substr(at, blank - at)));
    ranks.insert(tokens.back());
    at = end + 1;
  }
  Json file = Json::parse(write_tokenizer_json({.pattern = WordPattern::llama3}));
  Json vocabulary = Json::object(), merges = Json::array();
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    vocabulary.members().emplace_back(byte_characters(tokens[id]), id);
    std::vector<std::tuple<std::int32_t, std::int32_t>> ways;
    for (std::size_t cut = 1; cut < tokens[id].size(); ++cut) {
      const std::int32_t left = ranks.find(tokens[id].substr(0, cut)), right = ranks.find(tokens[id].substr(cut));
      if (left >= 0 && right >= 0) ways.emplace_back(left, right);
    }
    std::sort(ways.begin(), ways.end());
    for (const auto& [left, right] : ways) {
      merges.push_back(Json::Array{byte_characters(ranks[left]), byte_characters(ranks[right])});
    }
  }
  Json& model = const_cast<Json&>(*file.find("model"));
  model.set("vocab", std::move(vocabulary));
  model.set("merges", std::move(merges));
  model.set("ignore_merges", true);
  return file.str();
}

// Hashes of the ids that the `tokenizers` package gives the beginning of every file of the shared data folder
// (tests/parity/record_real_ids.py).
void expect_recorded_ids(const Tokenizer& tokenizer, const std::string& name) {
  const Json record = testing::recorded("real_ids");
  const Json& expected = *record.find(name);
  std::size_t compared = 0;
  for (const auto& text : testing::real_texts(static_cast<std::size_t>(record.find("bytes")->integer()))) {
    const Json* hash = expected.find(text.name);
    if (hash == nullptr) continue;  // a file that came later
    EXPECT_EQ(testing::Fnv().add(tokenizer.encode(text.bytes)).hex(), hash->string()) << text.name;
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

TEST(RecordedIds, Gpt2OnRealTexts) {
  if (testing::shared_data().empty()) GTEST_SKIP() << "the shared data folder is absent";
  expect_recorded_ids(Tokenizer::from_json(read_gzip(testing::shared_data() / "tokenizers/gpt2.tokenizer.json.gz")),
                      "gpt2");
}

TEST(RecordedIds, Llama3OnRealTexts) {
  if (testing::shared_data().empty()) GTEST_SKIP() << "the shared data folder is absent";
  const std::string ranks = read_file(testing::shared_data() / "tokenizers/llama3.tokenizer.model");
  expect_recorded_ids(Tokenizer::from_json(llama3_json(ranks)), "llama3");
}

TEST(GoldenIds, Llama3) {
  if (testing::shared_data().empty()) GTEST_SKIP() << "the shared data folder is absent";
  const std::string ranks = read_file(testing::shared_data() / "tokenizers/llama3.tokenizer.model");
  expect_golden_ids(Tokenizer::from_json(llama3_json(ranks)), "llama-bpe");
}

}  // namespace
}  // namespace attune
