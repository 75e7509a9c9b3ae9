// The unigram language model (Kudo 2018): the segmentation of a piece whose tokens have the largest sum of scores, by a
// Viterbi pass over all tokens that occur in it.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "attune/text/models/prefix_tree.h"
#include "attune/text/models/subword_model.h"

namespace attune {

class Unigram final : public SubwordModel {
 public:
  struct Entry {
    std::string_view text = {};
    std::int32_t id = 0;
    double score = 0;
  };
  struct Options {
    std::int32_t unknown = 0;
    double lowest_score = 0;                      // of the vocabulary; an unknown character scores 10 less
    std::array<std::int32_t, 256> byte_ids = {};  // -1: no such token; all there: byte fallback
    bool single_precision = false;                // sums as SentencePiece keeps them (the `tokenizers` package: double)
  };
  // `vocabulary`: what may be found in a text.
  Unigram(std::span<const Entry> vocabulary, const Options& options);

  void encode(std::string_view piece, std::vector<ModelToken>& tokens) const override;

 private:
  template <class Real>
  void encode_with(std::string_view piece, std::vector<ModelToken>& tokens) const;
  void add_unknown(std::string_view piece, const ModelToken& token, std::vector<ModelToken>& tokens) const;

  PrefixTree tree_;  // to indices of ids_ and scores_
  std::vector<std::int32_t> ids_;
  std::vector<double> scores_;
  Options options_;
  bool byte_fallback_ = false;
};

}  // namespace attune
