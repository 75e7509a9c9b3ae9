// Every kind of tokenizer against the `tokenizers` package (tests/parity/record_pipelines.py).
#include <gtest/gtest.h>
#include <zlib.h>

#include "attune/text/tokenizer.h"
#include "attune/text/unicode.h"
#include "support/random_strings.h"
#include "support/recorded.h"

namespace attune {
namespace {

const Json& record() {
  static const Json record = testing::recorded("pipelines");
  return record;
}

const std::vector<std::string>& random_strings() {
  static const std::vector<std::string> strings = [] {
    std::vector<std::string> pieces;
    for (const Json& piece : record().find("pieces")->items()) pieces.push_back(piece.string());
    testing::RandomStrings source(pieces);
    std::vector<std::string> result;
    for (std::int64_t i = 0; i < record().find("strings")->integer(); ++i) result.push_back(source.next());
    return result;
  }();
  return strings;
}

std::vector<std::int32_t> integers(const Json& array) {
  std::vector<std::int32_t> values;
  for (const Json& value : array.items()) values.push_back(static_cast<std::int32_t>(value.integer()));
  return values;
}

class Checksum {
 public:
  void add(std::span<const std::int32_t> ids) {
    if (ids.empty()) return;  // crc32() takes null for a new beginning
    value_ = crc32(value_, reinterpret_cast<const unsigned char*>(ids.data()), static_cast<uInt>(ids.size() * 4));
  }
  std::int64_t value() const { return static_cast<std::int64_t>(value_); }

 private:
  uLong value_ = 0;
};

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : record().find("families")->members()) names.push_back(name);
  return names;
}

class PipelineParity : public ::testing::TestWithParam<std::string> {
 protected:
  PipelineParity()
      : file_(testing::recorded("pipelines/" + GetParam())),
        tokenizer_(Tokenizer::from_json(file_.find("tokenizer")->str())) {}
  const Json& family(const char* key) const { return *record().find("families")->find(GetParam())->find(key); }

  Json file_;
  Tokenizer tokenizer_;
};

TEST_P(PipelineParity, SomeStringsHaveTheSameIdsAndText) {
  const Json::Array& ids = file_.find("ids")->items();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string& text = random_strings()[i];
    EXPECT_EQ(tokenizer_.encode(text, {.add_special_tokens = true}), integers(ids[i])) << i << ": " << text;
    EXPECT_EQ(tokenizer_.decode(integers(ids[i]), true), file_.find("decoded")->items()[i].string()) << i;
  }
}

TEST_P(PipelineParity, TenThousandStringsHaveTheSameIds) {
  const auto block = static_cast<std::size_t>(record().find("block")->integer());
  const std::vector<std::int64_t> expected = [&] {
    std::vector<std::int64_t> values;
    for (const Json& value : family("blocks").items()) values.push_back(value.integer());
    return values;
  }();
  ASSERT_EQ(expected.size() * block, random_strings().size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    Checksum sum;
    for (std::size_t k = 0; k < block; ++k) sum.add(tokenizer_.encode(random_strings()[i * block + k]));
    EXPECT_EQ(sum.value(), expected[i]) << "strings from " << i * block;
  }
}

TEST_P(PipelineParity, EveryCodePointHasTheSameIds) {
  const Json::Array& pages = family("pages").items();
  for (std::size_t page = 0; page < pages.size(); ++page) {
    Checksum sum;
    for (auto code_point = static_cast<char32_t>(page * 4096); code_point < (page + 1) * 4096; ++code_point) {
      if (code_point >= 0xD800 && code_point < 0xE000) continue;
      std::string c;
      append_utf8(c, code_point);
      sum.add(tokenizer_.encode("a" + c + "b " + c + "1\n" + c + " " + c + "\u0301"));
    }
    EXPECT_EQ(sum.value(), pages[page].integer()) << "code points from " << page * 4096;
  }
}

// Theirs are characters, ours bytes. Where theirs are trimmed or cover a whole character for one of its bytes, ours say
// more; what both say of characters that no normalizer touched must agree.
TEST_P(PipelineParity, SpansLieInTheCharactersThatTheirOffsetsName) {
  const Json::Array& expected = file_.find("offsets")->items();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::string& bytes = random_strings()[i];
    if (!valid_utf8(bytes)) continue;
    const Encoding encoding = tokenizer_.encode_with_offsets(bytes, {.add_special_tokens = true});
    ASSERT_EQ(encoding.spans.size(), expected[i].size()) << bytes;
    std::vector<std::int64_t> character(bytes.size() + 1);
    for (std::size_t at = 0, count = 0; at <= bytes.size(); ++at) {
      const bool starts = at == bytes.size() || (bytes[at] & 0xC0) != 0x80;
      character[at] = static_cast<std::int64_t>(starts ? count++ : count - 1);
    }
    for (std::size_t k = 0; k < encoding.spans.size(); ++k) {
      const auto [begin, end] = encoding.spans[k];
      const std::vector<std::int32_t> theirs = integers(expected[i].items()[k]);
      if (begin == end || theirs[0] == theirs[1]) continue;
      if (tokenizer_.token_bytes(encoding.ids[k]).size() == 1 && theirs[1] - theirs[0] > 1) {
        EXPECT_GE(character[begin], theirs[0]) << i;  // they give each byte all of an unknown stretch
        EXPECT_LE(character[end - 1] + 1, theirs[1]) << i;
        continue;
      }
      EXPECT_LE(character[begin], theirs[0]) << i << ": " << bytes << " token " << k;
      EXPECT_GE(character[end - 1] + 1, theirs[1]) << i << ": " << bytes << " token " << k;
    }
  }
}

TEST_P(PipelineParity, StreamedTextIsTheDecodedText) {
  const Json::Array& halves = file_.find("halves")->items();
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const std::vector<std::int32_t> ids = integers(file_.find("ids")->items()[i]);
    const auto half = std::span(ids).first(std::min(ids.size(), ids.size() / 2 + 1));
    EXPECT_EQ(tokenizer_.decode(half), halves[i].string()) << i;
    StreamingDecoder stream(tokenizer_, false);
    std::string streamed;
    for (const std::int32_t id : half) {
      streamed += stream.add(id);
      EXPECT_TRUE(valid_utf8(streamed));
    }
    streamed += stream.finish();
    // Of a run of bytes that make no text, all become U+FFFD when one does: what was given out cannot be taken back.
    if (tokenizer_.decode(half).find("\uFFFD") != std::string::npos && streamed.find("\uFFFD") != std::string::npos)
      continue;
    EXPECT_EQ(streamed, tokenizer_.decode(half)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, PipelineParity, ::testing::ValuesIn(family_names()), [](const auto& one) {
  std::string name = one.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace attune
