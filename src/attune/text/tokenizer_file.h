// Hugging Face's tokenizer.json, read into plain parts. Whatever a part of the file asks for that attune cannot do
// exactly is refused by its name; nothing is skipped.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/text/added_tokens.h"
#include "attune/text/bpe.h"
#include "attune/text/pre_tokenizer.h"

namespace attune {

struct TokenizerFile {
  struct Token {
    std::string text = {};  // the bytes it stands for; a special token's own spelling
    std::int32_t id = 0;
  };
  std::vector<Token> vocabulary = {};
  std::array<std::int32_t, 256> byte_ids = {};
  std::vector<Bpe::Merge> merges = {};
  bool whole_words = false;  // "ignore_merges"
  std::vector<AddedToken> added = {};
  bool nfc = false;  // normalizer
  PreTokenizer pre_tokenizer = {};
  std::vector<std::int32_t> before = {}, behind = {};  // what the post-processor puts around one text
};

// `file` names the source in messages. Throws FormatError naming the part and the entry.
TokenizerFile read_tokenizer_json(std::string_view json, const std::string& file);

// The smallest tokenizer.json: 256 byte tokens, then one token a merge, then the special tokens.
struct ByteLevelTokenizer {
  std::vector<std::pair<std::string, std::string>> merges = {};  // bytes, each side a byte or an earlier merge
  std::vector<std::string> special = {};
  WordPattern pattern = WordPattern::gpt2;
};
// Throws InternalError when a merge's side does not exist yet.
std::string write_tokenizer_json(const ByteLevelTokenizer& tokenizer);

}  // namespace attune
