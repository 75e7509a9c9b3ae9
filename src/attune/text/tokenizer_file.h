// Hugging Face's tokenizer.json, read into plain parts. Whatever a part of the file asks for that attune cannot do
// exactly is refused by its name; nothing is skipped.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/text/added_tokens.h"
#include "attune/text/bpe.h"
#include "attune/text/model_part.h"
#include "attune/text/pipeline/components.h"
#include "attune/text/pipeline/pipeline.h"
#include "attune/text/pre_tokenizer.h"
#include "attune/text/special_tokens.h"

namespace attune {

struct TokenizerFile {
  struct Token {
    // The bytes it stands for, or its spelling when `pipeline` has decoders; a special token's own spelling.
    std::string text = {};
    std::int32_t id = 0;
  };
  std::vector<Token> vocabulary = {};
  std::vector<AddedToken> added = {};
  std::vector<std::int32_t> before = {}, behind = {};  // what is put around one text
  // The roles of tokens and the chat template, where the file itself says them (GGUF, tokenizer.model).
  SpecialTokens special = {};
  std::vector<NamedTemplate> templates = {};
  std::size_t size = ~std::size_t{0};  // bytes of the source that were read; weights may follow

  // Either the general way, or, when it is null, byte-level BPE with one of the known expressions:
  std::shared_ptr<const Pipeline> pipeline = {};
  std::array<std::int32_t, 256> byte_ids = {};
  std::vector<Bpe::Merge> merges = {};
  bool whole_words = false;  // "ignore_merges"
  bool nfc = false;
  PreTokenizer pre_tokenizer = {};
};

// `file` names the source in messages. Throws FormatError naming the part and the entry.
TokenizerFile read_tokenizer_json(std::string_view json, const std::string& file);

// The components around a model, each sort in order.
struct Components {
  std::vector<Component> normalizers = {}, splitters = {}, decoders = {};
};
// Sets the vocabulary and the way of `file`: the fast one if it does what these components say, else a pipeline of
// them. Throws FormatError for what is not supported, and for byte-level vocabularies that lack a byte.
void assemble(TokenizerFile& file, const JsonFields& fields, ModelPart part, const Components& components);

// The smallest tokenizer.json: 256 byte tokens, then one token a merge, then the special tokens.
struct ByteLevelTokenizer {
  std::vector<std::pair<std::string, std::string>> merges = {};  // bytes, each side a byte or an earlier merge
  std::vector<std::string> special = {};
  WordPattern pattern = WordPattern::gpt2;
};
// Throws InternalError when a merge's side does not exist yet.
std::string write_tokenizer_json(const ByteLevelTokenizer& tokenizer);

}  // namespace attune
