// Byte-pair encoding (Sennrich et al. 2016; byte level: Radford et al. 2019): one word to token ids.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "attune/text/flat_map.h"

namespace attune {

class Bpe {
 public:
  // Lower ranks merge first, of equal ones the leftmost; of equal pairs the last one counts.
  struct Merge {
    std::int32_t left = 0, right = 0, result = 0;
    std::int32_t rank = 0;  // from 0
  };
  // A token and the first of the symbols that it was merged from.
  struct Part {
    std::int32_t id = 0;
    std::uint32_t first = 0;
  };
  // Of one token. Tokens that cannot arise from bytes (special tokens) may stand in the vocabulary too.
  struct Entry {
    std::string_view bytes = {};
    std::int32_t id = 0;
  };

  Bpe() = default;
  explicit Bpe(std::span<const Merge> merges);  // for merge() alone
  // `byte_ids`: the token of each byte.
  // whole_words: a word that is a token is that token, whatever the merges say ("ignore_merges").
  Bpe(std::span<const Entry> vocabulary, const std::array<std::int32_t, 256>& byte_ids, std::span<const Merge> merges,
      bool whole_words);

  // Appends the ids of one word. Time is linear in the word but for the sorting of merges.
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;
  // The same from any symbols (tokens below 2^31 - 1, known to a merge or not).
  void merge(std::span<const std::int32_t> symbols, std::vector<Part>& parts) const;

 private:
  struct Ranked {
    std::int32_t rank = never, result = 0;
  };
  static constexpr std::int32_t never = std::numeric_limits<std::int32_t>::max();
  static std::uint64_t pair(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
  }
  const Ranked* merge_of(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key = pair(left, right), bit = filter_bit(key);
    return filter_[bit / 64] >> (bit % 64) & 1 ? merges_.find(key) : nullptr;
  }
  std::uint64_t filter_bit(std::uint64_t key) const { return key * 0xD6E8FEB86659FD93ULL >> filter_shift_; }
  void add_merges(std::span<const Merge> merges);
  template <class TokenOf, class MergeOf, class Emit>
  void merge_short(std::size_t size, TokenOf token_of, MergeOf merge_of_pair, Emit emit) const;
  template <class Emit>
  void merge_long(std::span<const std::int32_t> symbols, Emit emit) const;

  StringTable texts_;
  std::vector<std::int32_t> ids_;  // of texts_
  std::array<std::int32_t, 256> byte_ids_ = {};
  FlatMap<Ranked> merges_;
  // Most pairs are no merge: one bit a pair (16 and more times as many bits as merges) says so from a table that stays
  // in the nearer caches, where merges_ does not.
  std::vector<std::uint64_t> filter_ = std::vector<std::uint64_t>(1);
  int filter_shift_ = 63;
  std::vector<Ranked> byte_merges_;  // of two bytes, by 256 * left + right: where every word begins
  bool whole_words_ = false;
  friend class LongWord;
  friend class RepeatedWord;
};

}  // namespace attune
