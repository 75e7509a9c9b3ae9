// The vocabulary of a tokenizer and the algorithm that goes with it, as plain data: what the readers of the different
// files make, and what models are made of.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "attune/text/bpe.h"
#include "attune/text/json_fields.h"
#include "attune/text/models/subword_model.h"

namespace attune {

struct ModelPart {
  enum class Kind { bpe, unigram, word_piece, word_level };
  struct Token {
    std::string text = {};  // its spelling
    std::int32_t id = 0;
    double score = 0;           // unigram
    bool found_in_text = true;  // false: control tokens and the like, which no text contains
    bool frozen = false;        // found before all others (SentencePiece's user-defined symbols)
  };
  Kind kind = Kind::bpe;
  std::vector<Token> tokens = {};
  std::unordered_map<std::string, std::int32_t> ids = {};  // of tokens' spellings
  std::vector<Bpe::Merge> merges = {};
  std::optional<std::int32_t> unknown = {};
  bool fuse_unknown = false;
  bool byte_fallback = false;  // by tokens <0x00> to <0xFF>, if all are there
  bool whole_words = false;    // "ignore_merges"
  std::string continuing_prefix = {}, end_of_word = {};
  std::size_t longest_word = 100;  // word_piece: characters
  bool single_precision = false;   // unigram: sums as SentencePiece has them
  std::int32_t limit = 1 << 24;    // ids from here on are symbols of merges, but no tokens
};

// "model" of a tokenizer.json. Throws FormatError naming the entry.
ModelPart read_model_part(const JsonFields& fields, const Json& model);

// The token of each byte of a vocabulary written in GPT-2's byte alphabet; -1 where there is none.
std::array<std::int32_t, 256> byte_alphabet_ids(const ModelPart& part);
// The tokens <0x00> to <0xFF>.
std::array<std::int32_t, 256> fallback_ids(const ModelPart& part);

std::unique_ptr<const SubwordModel> make_model(const ModelPart& part);
// Byte-pair encoding over bytes, for a vocabulary written in GPT-2's byte alphabet.
std::unique_ptr<const SubwordModel> make_byte_model(const ModelPart& part);

}  // namespace attune
