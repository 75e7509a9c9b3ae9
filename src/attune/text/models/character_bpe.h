// Byte-pair encoding over characters, as SentencePiece and older models have it: characters that the vocabulary lacks
// become their bytes' tokens ("byte fallback") or the unknown token.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "attune/text/bpe.h"
#include "attune/text/models/prefix_tree.h"
#include "attune/text/models/subword_model.h"

namespace attune {

class CharacterBpe final : public SubwordModel {
 public:
  struct Options {
    std::optional<std::int32_t> unknown = {};             // without it, characters that nobody knows leave nothing
    bool fuse_unknown = false;                            // a run of them is one token
    std::array<std::int32_t, 256> byte_ids = no_bytes();  // -1: no such token; all there: byte fallback
    bool whole_words = false;                             // a piece that is a token is that token
    std::string continuing_prefix = {};                   // before all symbols of a piece but the first ("##")
    std::string end_of_word = {};                         // behind the last one ("</w>")
    std::vector<std::string> frozen = {};                 // tokens that are found first and never merged
    std::int32_t limit = 1 << 24;                         // ids from here on are symbols, but no tokens
  };
  static std::array<std::int32_t, 256> no_bytes() {
    std::array<std::int32_t, 256> ids;
    ids.fill(-1);
    return ids;
  }

  CharacterBpe(std::span<const Bpe::Entry> vocabulary, std::span<const Bpe::Merge> merges, Options options);

  void encode(std::string_view piece, std::vector<ModelToken>& tokens) const override;
  std::size_t part_end(std::string_view piece, std::size_t at) const override;

 private:
  static constexpr std::int32_t nobody = 0x7FFFFFFE;  // the symbol of a character that no token has
  struct Symbols {
    std::vector<std::int32_t> ids = {};
    std::vector<std::uint32_t> begins = {};  // in the piece; one more than ids
  };
  std::int32_t find(std::string_view text) const;
  std::int32_t symbol(std::string_view piece, std::size_t at, std::size_t size) const;
  void merge(Symbols& symbols, std::uint32_t end, std::string_view piece, std::vector<ModelToken>& tokens) const;
  void add_unknown(std::string_view piece, const ModelToken& token, bool& after_unknown,
                   std::vector<ModelToken>& tokens) const;

  Bpe bpe_;
  StringTable texts_;
  std::vector<std::int32_t> ids_;  // of texts_
  Options options_;
  PrefixTree frozen_;
  bool byte_fallback_ = false;
  bool cuts_at_blanks_ = false;  // no token holds U+2581 behind something else: words stand for themselves
};

}  // namespace attune
