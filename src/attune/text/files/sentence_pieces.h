// A SentencePiece vocabulary (Kudo and Richardson 2018), wherever it was read from, made into a tokenizer with the
// library's own meaning: its normalizer, its BPE or unigram segmentation in single precision.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attune/text/pipeline/precompiled_map.h"
#include "attune/text/tokenizer_file.h"

namespace attune {

struct SentencePieces {
  enum class Type : std::uint8_t { normal = 1, unknown, control, user_defined, unused, byte };
  struct Piece {
    std::string text = {};
    float score = 0;
    Type type = Type::normal;
  };
  std::vector<Piece> pieces = {};  // a piece's id is its place
  bool unigram = true;             // else BPE
  bool byte_fallback = false;
  std::shared_ptr<const PrecompiledMap> rules = {};
  splitters::Prefix prefix = splitters::Prefix::first;  // of U+2581
  bool remove_extra_blanks = true, escape_blanks = true, blank_is_suffix = false;
};

// What SentencePiece does to a text first. User-defined pieces are left as they are.
normalizers::Step sentence_piece_normalizer(const SentencePieces& pieces);

// Vocabulary, pipeline and added tokens (control and unknown pieces) into `file`. Throws FormatError.
void set_sentence_pieces(TokenizerFile& file, const JsonFields& fields, const SentencePieces& pieces);

// A tokenizer.model. What stands beside it decides about the rest:
struct SentencePieceSettings {
  bool legacy = false;  // U+2581 before every stretch of text, not only the first
  std::optional<bool> add_bos = {}, add_eos = {};
  std::string tokenizer_class = {};
};
TokenizerFile read_sentencepiece_model(std::string_view bytes, const std::string& file,
                                       const SentencePieceSettings& settings);

}  // namespace attune
