#include <unordered_set>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/text/byte_level.h"
#include "attune/text/tokenizer_file.h"

namespace attune {

std::string write_tokenizer_json(const ByteLevelTokenizer& tokenizer) {
  Json vocabulary = Json::object();
  std::unordered_set<std::string> known;
  const auto add = [&](const std::string& bytes) {
    require(known.insert(bytes).second, "each token of a written tokenizer arises once");
    const std::size_t id = vocabulary.size();
    vocabulary.members().emplace_back(byte_characters(bytes), id);
  };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
  Json merges = Json::array();
  for (const auto& [left, right] : tokenizer.merges) {
    require(known.contains(left) && known.contains(right), "a merge joins earlier tokens");
    add(left + right);
    merges.push_back(Json::Array{byte_characters(left), byte_characters(right)});
  }
  Json added = Json::array();
  for (const std::string& content : tokenizer.special) {
    added.push_back(Json::object({{"id", vocabulary.size() + added.size()},
                                  {"content", content},
                                  {"single_word", false},
                                  {"lstrip", false},
                                  {"rstrip", false},
                                  {"normalized", false},
                                  {"special", true}}));
  }
  const bool own_expression = tokenizer.pattern == WordPattern::gpt2;
  Json byte_level = Json::object(
      {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", own_expression}});
  Json pre_tokenizer = byte_level;
  if (const std::string_view text = pattern_text(tokenizer.pattern); !text.empty()) {
    pre_tokenizer =
        Json::object({{"type", "Sequence"},
                      {"pretokenizers", Json::Array{Json::object({{"type", "Split"},
                                                                  {"pattern", Json::object({{"Regex", text}})},
                                                                  {"behavior", "Isolated"},
                                                                  {"invert", false}}),
                                                    byte_level}}});
  }
  Json decoder =
      Json::object({{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}});
  Json model = Json::object({{"type", "BPE"},
                             {"dropout", nullptr},
                             {"unk_token", nullptr},
                             {"continuing_subword_prefix", nullptr},
                             {"end_of_word_suffix", nullptr},
                             {"fuse_unk", false},
                             {"byte_fallback", false},
                             {"ignore_merges", false},
                             {"vocab", std::move(vocabulary)},
                             {"merges", std::move(merges)}});
  const Json root = Json::object({{"version", "1.0"},
                                  {"truncation", nullptr},
                                  {"padding", nullptr},
                                  {"added_tokens", std::move(added)},
                                  {"normalizer", nullptr},
                                  {"pre_tokenizer", std::move(pre_tokenizer)},
                                  {"post_processor", nullptr},
                                  {"decoder", std::move(decoder)},
                                  {"model", std::move(model)}});
  return root.str(1) + "\n";
}

}  // namespace attune
