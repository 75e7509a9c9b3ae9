// SentencePiece models, tiktoken ranks and GGUF vocabularies: golden ids of the shared data, damage, time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/text/chat_template.h"
#include "attune/text/files/gguf_metadata.h"
#include "attune/text/files/sentence_pieces.h"
#include "attune/text/files/tiktoken_file.h"
#include "attune/text/tokenizer.h"
#include "support/real_texts.h"
#include "support/recorded.h"
#include "support/temporary.h"

namespace attune {
namespace {

using ::testing::HasSubstr;

Path shared(const std::string& name) { return testing::shared_data() / name; }

#define SKIP_WITHOUT_SHARED_DATA() \
  if (testing::shared_data().empty()) GTEST_SKIP() << "the shared data folder is absent"

// Gzipped files are unpacked on the way.
std::string bytes_of(const std::string& name) { return testing::read_head(shared(name), std::size_t{1} << 24); }

class Golden : public ::testing::TestWithParam<const char*> {};

// llama.cpp's test strings and the ids its authors got from transformers.
TEST_P(Golden, GgufVocabulariesHaveTheIdsOfTheirAuthors) {
  SKIP_WITHOUT_SHARED_DATA();
  const std::string stem = std::string("tokenizers/gguf/ggml-vocab-") + GetParam() + ".gguf";
  const Tokenizer tokenizer = Tokenizer::from_bytes(bytes_of(stem + ".gz"), stem);
  const std::string input = read_file(shared(stem + ".inp")), output = read_file(shared(stem + ".out"));
  constexpr std::string_view separator = "\n__ggml_vocab_test__\n";
  std::size_t text_at = 0, line_at = 0, count = 0;
  for (; text_at < input.size(); ++count) {
    const std::size_t text_end = std::min(input.find(separator, text_at), input.size());
    const std::size_t line_end = output.find('\n', line_at);
    const std::string text = input.substr(text_at, text_end - text_at);
    std::string ours;
    for (const std::int32_t id : tokenizer.encode(text)) ours += " " + std::to_string(id);
    EXPECT_EQ(ours, output.substr(line_at, line_end - line_at)) << "string " << count << ": " << text;
    text_at = text_end + separator.size();
    line_at = line_end + 1;
  }
  EXPECT_GT(count, 40u);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, Golden,
                         ::testing::Values("gpt-2", "llama-spm", "falcon", "deepseek-coder", "bert-bge"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

void expect_same_ids(const Tokenizer& one, const Tokenizer& other) {
  std::size_t compared = 0;
  for (const auto& text : testing::real_texts(20'000)) {
    EXPECT_EQ(one.encode(text.bytes), other.encode(text.bytes)) << text.name;
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

TEST(SentencePieceModel, Llama2sModelAndItsGgufVocabularyGiveTheSameIds) {
  SKIP_WITHOUT_SHARED_DATA();
  const Tokenizer model = Tokenizer::load(shared("tokenizers/llama2.tokenizer.model"));
  const Tokenizer gguf = Tokenizer::from_bytes(bytes_of("tokenizers/gguf/ggml-vocab-llama-spm.gguf.gz"), "llama.gguf");
  expect_same_ids(model, gguf);
  EXPECT_EQ(model.bos(), 1);
  EXPECT_EQ(model.eos(), 2);
  EXPECT_EQ(model.encode("Hello", {.add_special_tokens = true}), (std::vector<std::int32_t>{1, 15043}));
  EXPECT_EQ(model.decode(model.encode("  Hello  world\n 🦙")), "  Hello  world\n 🦙");
}

TEST(Tiktoken, RanksAndTokenizerJsonOfGpt2GiveTheSameIds) {
  SKIP_WITHOUT_SHARED_DATA();
  const Tokenizer ranks = Tokenizer::load(shared("tokenizers/gpt2.tiktoken"));
  const Tokenizer json = Tokenizer::from_bytes(bytes_of("tokenizers/gpt2.tokenizer.json.gz"), "tokenizer.json");
  expect_same_ids(ranks, json);
  EXPECT_EQ(ranks.token_id("<|endoftext|>"), 50256);
  EXPECT_EQ(ranks.eos(), 50256);
}

TEST(Tiktoken, Llama3sRanksHaveItsGoldenIdsAndSpecialTokens) {
  SKIP_WITHOUT_SHARED_DATA();
  const Tokenizer tokenizer = Tokenizer::load(shared("tokenizers/llama3.tokenizer.model"));
  EXPECT_EQ(tokenizer.token_id("<|eot_id|>"), 128009);
  EXPECT_EQ(tokenizer.token_id("<|reserved_special_token_247|>"), 128255);
  EXPECT_EQ(tokenizer.vocabulary_size(), 128256);
  EXPECT_EQ(tokenizer.encode("Hello", {.add_special_tokens = true}), (std::vector<std::int32_t>{128000, 9906}));
  const Json record = testing::recorded("real_ids");
  std::size_t compared = 0;
  for (const auto& text : testing::real_texts(static_cast<std::size_t>(record.find("bytes")->integer()))) {
    const Json* hash = record.find("llama3")->find(text.name);
    if (hash == nullptr) continue;
    EXPECT_EQ(testing::Fnv().add(tokenizer.encode(text.bytes, {.spellings = Spellings::none})).hex(), hash->string())
        << text.name;
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

// The best segmentation by trying all: what the model promises.
TEST(SentencePieceModel, UnigramFindsTheSegmentationOfHighestScore) {
  SKIP_WITHOUT_SHARED_DATA();
  const Tokenizer tokenizer = Tokenizer::load(shared("tokenizers/sentencepiece_test_unigram.model"));
  // Published in the library's own README and tests for this model.
  std::vector<std::string> pieces;
  for (const std::int32_t id : tokenizer.encode("This is a test")) pieces.emplace_back(tokenizer.token_bytes(id));
  EXPECT_EQ(pieces, (std::vector<std::string>{" This", " is", " a", " ", "t", "est"}));
  EXPECT_EQ(tokenizer.encode("This is a test"), (std::vector<std::int32_t>{284, 47, 11, 4, 15, 400}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("  ﬁrst\u3000 ＡＢＣ ")), "first ABC");
}

std::string sample_file(const std::string& sample, const std::string& name) {
  return read_file(shared("chat_templates/mistral-common/samples/" + sample + "/" + name));
}

TEST(MistralCommon, TheTextsOfItsSamplesHaveItsIds) {
  SKIP_WITHOUT_SHARED_DATA();
  const Tokenizer tokenizer = Tokenizer::load(shared("tokenizers/mistral_instruct_v3.model"));
  for (const char* sample : {"get_weather_full", "get_weather_no_history", "no_tools", "parallel_calls"}) {
    for (const char* version : {"v2", "v3"}) {
      std::string text = sample_file(sample, std::string("text_") + version + ".txt");
      if (text.ends_with('\n')) text.pop_back();
      for (const auto& [from, to] : {std::pair<std::string, std::string>{"\u2581", " "}, {"<0x0A>", "\n"}}) {
        for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at))
          text.replace(at, from.size(), to);
      }
      std::string ours, theirs;
      for (const std::int32_t id : tokenizer.encode(text)) ours += std::to_string(id) + " ";
      const Json tokens = Json::parse(sample_file(sample, std::string("tokens_") + version + ".json"));
      for (const Json& id : tokens.find("tokens")->items()) theirs += std::to_string(id.integer()) + " ";
      EXPECT_EQ(ours, theirs) << sample << " " << version;
    }
  }
}

// The other two samples hold arguments as JSON text, which mistral-common writes anew before its template sees them.
TEST(MistralCommon, ItsTemplateGivesTheIdsOfItsSamples) {
  SKIP_WITHOUT_SHARED_DATA();
  const Tokenizer tokenizer = Tokenizer::load(shared("tokenizers/mistral_instruct_v3.model"));
  const ChatTemplate chat_template =
      ChatTemplate::compile(read_file(shared("chat_templates/mistral-common/v3_spm.jinja")), "v3_spm.jinja");
  for (const char* sample : {"no_tools", "parallel_calls"}) {
    const Json row = Json::parse(sample_file(sample, "sample.json"));
    Conversation conversation;
    conversation.messages = *row.find("messages");
    if (const Json* tools = row.find("tools")) conversation.tools = *tools;
    const RenderedConversation rendered = chat_template.render(conversation, tokenizer.special_tokens());
    Json ours = Json::array();
    for (const std::int32_t id : tokenizer.encode(rendered.text, {.origins = rendered.origins})) ours.push_back(id);
    EXPECT_EQ(ours.str(), Json::parse(sample_file(sample, "tokens_v3.json")).find("tokens")->str()) << sample;
  }
}

// The mask without {% generation %} blocks: what stands behind [/INST], up to and with </s>.
TEST(MistralCommon, TheAssistantsTokensAreThoseOfItsTurns) {
  SKIP_WITHOUT_SHARED_DATA();
  const Tokenizer tokenizer = Tokenizer::load(shared("tokenizers/mistral_instruct_v3.model"));
  const ChatTemplate chat_template =
      ChatTemplate::compile(read_file(shared("chat_templates/mistral-common/v3_spm.jinja")), "v3_spm.jinja");
  Conversation conversation;
  conversation.messages = *Json::parse(sample_file("no_tools", "sample.json")).find("messages");
  const TokenizedConversation ours = render_and_tokenize(tokenizer, chat_template, conversation);
  bool inside = false;
  for (std::size_t i = 0; i < ours.ids.size(); ++i) {
    EXPECT_EQ(ours.mask[i] != 0, inside) << "token " << i;
    inside = (inside || ours.ids[i] == *tokenizer.token_id("[/INST]")) && ours.ids[i] != *tokenizer.eos();
  }
}

// Reads what is left of a file and tokenizes with it, if it can be read.
void read_or_refuse(const std::string& bytes) {
  try {
    Tokenizer::from_bytes(bytes, "damaged").encode("A test, <s> 1234 \u00e9\U0001F999");
  } catch (const FormatError&) {
  }
}

// A small model file: pieces, a trainer, a normalizer.
std::string small_sentencepiece_model() {
  const auto field = [](int number, const std::string& bytes) {
    std::string out(1, static_cast<char>(number << 3 | 2));
    std::size_t size = bytes.size();
    for (; size > 127; size >>= 7) out += static_cast<char>(static_cast<unsigned char>(size | 0x80));
    return out + static_cast<char>(size) + bytes;
  };
  const auto piece = [&](const std::string& text, char type) {
    return field(1, field(1, text) + "\x15" + std::string("\x00\x00\x80\xBF", 4) + "\x18" + std::string(1, type));
  };
  std::string model = piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3);
  for (const char* text : {"\u2581", "a", "b", "t", "e", "s", "\u2581t", "es", "est", "\u2581test"})
    model += piece(text, 1);
  model += piece("<user>", 4) + field(2, "\x18\x02") + field(3, "\x18\x01\x20\x01\x28\x01");
  return model;
}

TEST(DamagedFiles, AreReadOrRefusedInOneLine) {
  std::vector<std::string> files = {small_sentencepiece_model()};
  std::string ranks;
  for (int i = 0; i < 40; ++i) ranks += "QQ== " + std::to_string(i) + "\n";
  files.push_back(ranks);
  if (!testing::shared_data().empty()) {
    files.push_back(bytes_of("tokenizers/gguf/ggml-vocab-llama-spm.gguf.gz").substr(0, 6000));
    files.push_back(bytes_of("tokenizers/sentencepiece_test_unigram.model"));
  }
  Random random(5, "damage");
  for (const std::string& whole : files) {
    const int rounds = whole.size() > 100'000 ? 40 : 600;
    for (int round = 0; round < rounds; ++round) {
      std::string bytes = whole;
      if (round % 2) {
        bytes.resize(random.below(bytes.size()));
      } else {
        for (int i = 0; i < 3; ++i) {
          const std::size_t at = random.below(round % 4 ? bytes.size() : std::min<std::size_t>(bytes.size(), 200));
          bytes[at] = static_cast<char>(static_cast<unsigned char>(random.below(256)));
        }
      }
      read_or_refuse(bytes);
    }
  }
  const std::string small = files[0];
  for (std::size_t size = 0; size < small.size(); ++size) read_or_refuse(small.substr(0, size));
}

std::string refusal(const std::string& bytes) {
  try {
    Tokenizer::from_bytes(bytes, "file");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(DamagedFiles, AreRefusedByName) {
  const std::string model = small_sentencepiece_model();
  EXPECT_EQ(refusal(model), "accepted");
  EXPECT_THAT(refusal(model.substr(0, 40)), HasSubstr("the end inside a field"));
  EXPECT_THAT(refusal("QQ== 0\nQg== x\n"), HasSubstr("file:2: found no rank"));
  EXPECT_THAT(refusal("QQ== 0\nQQ== 1\n"), HasSubstr("a token for the second time"));
  EXPECT_THAT(refusal("QQ== 0\n"), HasSubstr("a tiktoken file of 1 ranks"));
  EXPECT_THAT(refusal(std::string("GGUF\x03\x00\x00\x00", 8)), HasSubstr("the end of the file"));
  std::string list("GGUF\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", 24);
  list += std::string(
      "\x01\x00\x00\x00\x00\x00\x00\x00k\x09\x00\x00\x00\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x0F", 25);
  EXPECT_THAT(refusal(list), HasSubstr("a list of"));
}

TEST(SentencePieceModel, UserDefinedPiecesAreFoundFirst) {
  const Tokenizer tokenizer = Tokenizer::from_bytes(small_sentencepiece_model(), "tokenizer.model");
  const Encoding encoding = tokenizer.encode_with_offsets("test<user> test");
  EXPECT_EQ(encoding.ids, (std::vector<std::int32_t>{12, 13, 12}));
  EXPECT_EQ(encoding.spans, (std::vector<ByteSpan>{{0, 4}, {4, 10}, {10, 15}}));
  EXPECT_EQ(tokenizer.decode(encoding.ids), "test<user> test");
}

TEST(SentencePieceModel, IdsThatAnotherClassShiftsAreRefused) {
  const testing::TemporaryDirectory folder;
  std::ofstream(folder / "sentencepiece.bpe.model") << small_sentencepiece_model();
  EXPECT_NO_THROW(Tokenizer::load(folder.path()));
  std::ofstream(folder / "tokenizer_config.json") << R"({"tokenizer_class": "XLMRobertaTokenizer"})";
  EXPECT_THROW(Tokenizer::load(folder.path()), FormatError);
}

}  // namespace
}  // namespace attune
