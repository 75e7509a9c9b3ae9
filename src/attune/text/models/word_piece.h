// WordPiece (Schuster and Nakajima 2012, as BERT has it): the longest token that begins a word, then the longest one
// that goes on, and so forth. Also whole words alone (WordLevel).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "attune/text/bpe.h"
#include "attune/text/models/subword_model.h"

namespace attune {

class WordPiece final : public SubwordModel {
 public:
  struct Options {
    std::int32_t unknown = 0;  // for a word that cannot be put together
    std::string continuing_prefix = "##";
    std::size_t longest_word = 100;  // characters; a longer one is unknown
    bool whole_words_only = false;   // WordLevel
  };
  WordPiece(std::span<const Bpe::Entry> vocabulary, Options options);

  void encode(std::string_view piece, std::vector<ModelToken>& tokens) const override;

 private:
  std::int32_t find(std::string_view text) const;  // -1: no token

  StringTable texts_;
  std::vector<std::int32_t> ids_;  // of texts_
  std::size_t longest_token_ = 0;  // bytes
  Options options_;
};

}  // namespace attune
