#include "attune/text/bpe.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <queue>
#include <unordered_map>

namespace attune {

namespace {
constexpr std::size_t short_word = 48;  // bytes; up to here scanning all pairs again beats keeping a queue
}

Bpe::Bpe(std::span<const Entry> vocabulary, const std::array<std::int32_t, 256>& byte_ids,
         std::span<const Merge> merges, bool whole_words)
    : byte_ids_(byte_ids), whole_words_(whole_words) {
  if (whole_words) {
    for (const Entry& entry : vocabulary) {
      if (texts_.insert(entry.bytes).second) ids_.push_back(entry.id);
    }
  }
  add_merges(merges);
  byte_merges_.resize(256 * 256);
  for (std::size_t i = 0; i < byte_merges_.size(); ++i) {
    if (const Ranked* merge = merge_of(byte_ids[i / 256], byte_ids[i % 256])) byte_merges_[i] = *merge;
  }
}

Bpe::Bpe(std::span<const Merge> merges) { add_merges(merges); }

void Bpe::add_merges(std::span<const Merge> merges) {
  merges_ = FlatMap<Ranked>(merges.size());
  filter_.resize(std::bit_ceil(merges.size() + 4) * 16 / 64);
  filter_shift_ = 64 - std::countr_zero(filter_.size() * 64);
  for (const Merge& merge : merges) {
    const std::uint64_t key = pair(merge.left, merge.right), bit = filter_bit(key);
    merges_.set(key, {merge.rank, merge.result});
    filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
}

// A word of any length: tokens in a linked list, and for each rank the places where that merge is possible. Ranks come
// from a heap, places of one rank in order, so a million equal letters cost a few passes instead of a heap of a
// million.
class LongWord {
 public:
  LongWord(const Bpe& bpe, std::span<const std::int32_t> symbols) : bpe_(bpe), nodes_(symbols.size()) {
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const auto here = static_cast<std::int32_t>(i);
      nodes_[i] = {symbols[i], here - 1, here + 1};
    }
    nodes_.back().next = none;
    for (std::int32_t i = 0; node(i).next != none; ++i) offer(i);
  }

  void merge_all() {
    while (!ranks_.empty()) {
      const std::int32_t rank = ranks_.top();
      ranks_.pop();
      std::vector<std::int32_t> places = std::move(places_[rank]);
      places_.erase(rank);
      recent_[recent_slot(rank)] = {};
      if (!std::is_sorted(places.begin(), places.end())) std::sort(places.begin(), places.end());
      merge_places(rank, places);
    }
  }

  template <class Emit>
  void each(Emit emit) const {  // (token, its first symbol)
    for (std::int32_t i = 0; i != none; i = nodes_[static_cast<std::size_t>(i)].next) {
      emit(nodes_[static_cast<std::size_t>(i)].token, static_cast<std::size_t>(i));
    }
  }

 private:
  static constexpr std::int32_t none = -1, merged_away = -2;
  struct Node {
    std::int32_t token = 0, previous = none, next = none;
  };
  Node& node(std::int32_t i) { return nodes_[static_cast<std::size_t>(i)]; }

  const Bpe::Ranked* merge_at(std::int32_t i) {
    const Node& left = node(i);
    return left.token < 0 || left.next == none ? nullptr : bpe_.merge_of(left.token, node(left.next).token);
  }

  void offer(std::int32_t i) {
    const Bpe::Ranked* merge = merge_at(i);
    if (!merge) return;
    Recent& recent = recent_[recent_slot(merge->rank)];
    if (recent.rank != merge->rank) {
      const auto [found, fresh] = places_.try_emplace(merge->rank);
      if (fresh) ranks_.push(merge->rank);
      recent = {merge->rank, &found->second};
    }
    recent.places->push_back(i);
  }

  void merge_places(std::int32_t rank, std::span<const std::int32_t> places) {
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (!ranks_.empty() && ranks_.top() < rank) {  // a merge made a pair of lower rank possible: that one first
        for (const std::int32_t i : places.subspan(k)) offer(i);
        return;
      }
      const Bpe::Ranked* merge = merge_at(places[k]);
      if (merge && merge->rank == rank) join(places[k], merge->result);
    }
  }

  void join(std::int32_t i, std::int32_t token) {
    Node& left = node(i);
    Node& right = node(left.next);
    left.token = token;
    left.next = right.next;
    right.token = merged_away;
    if (left.next != none) node(left.next).previous = i;
    offer(i);
    if (left.previous != none) offer(left.previous);
  }

  const Bpe& bpe_;
  std::vector<Node> nodes_;
  std::unordered_map<std::int32_t, std::vector<std::int32_t>> places_;
  struct Recent {  // an entry of places_ that was asked for a short time ago: monotonous words need few
    std::int32_t rank = none;
    std::vector<std::int32_t>* places = nullptr;
  };
  static std::size_t recent_slot(std::int32_t rank) { return static_cast<std::size_t>(rank) % 16; }
  std::array<Recent, 16> recent_ = {};
  std::priority_queue<std::int32_t, std::vector<std::int32_t>, std::greater<>> ranks_;
};

void Bpe::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (word.size() == 1) {
    ids.push_back(byte_ids_[static_cast<unsigned char>(word[0])]);
    return;
  }
  if (whole_words_) {
    if (const std::int32_t found = texts_.find(word); found != StringTable::none) {
      ids.push_back(ids_[static_cast<std::size_t>(found)]);
      return;
    }
  }
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(word[i])); };
  if (word.size() <= short_word) {
    merge_short(
        word.size(), [&](std::size_t i) { return byte_ids_[byte(i)]; },
        [&](std::size_t i) { return byte_merges_[byte(i) * 256 + byte(i + 1)]; },
        [&](std::int32_t id, std::size_t) { ids.push_back(id); });
    return;
  }
  std::vector<std::int32_t> symbols(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) symbols[i] = byte_ids_[byte(i)];
  LongWord long_word(*this, symbols);
  long_word.merge_all();
  long_word.each([&](std::int32_t id, std::size_t) { ids.push_back(id); });
}

void Bpe::merge(std::span<const std::int32_t> symbols, std::vector<Part>& parts) const {
  const auto emit = [&](std::int32_t id, std::size_t first) {
    parts.push_back({id, static_cast<std::uint32_t>(first)});
  };
  if (symbols.size() <= short_word) {
    if (symbols.empty()) return;
    const auto pair_at = [&](std::size_t i) {
      const Ranked* found = merge_of(symbols[i], symbols[i + 1]);
      return found ? *found : Ranked{};
    };
    return merge_short(
        symbols.size(), [&](std::size_t i) { return symbols[i]; }, pair_at, emit);
  }
  LongWord long_word(*this, symbols);
  long_word.merge_all();
  long_word.each(emit);
}

// The pair of lowest rank, the leftmost of equals, is merged until none is left. A token stays at the place of its
// first byte; `alive` has a bit for each place that still has one.
template <class TokenOf, class MergeOf, class Emit>
void Bpe::merge_short(std::size_t size, TokenOf token_of, MergeOf merge_of_pair, Emit emit) const {
  std::array<std::int32_t, short_word> tokens, results;
  // Of the token at a place and the next one: rank * 64 + place, so that the least is found without a branch.
  std::array<std::uint64_t, short_word> order;
  constexpr std::uint64_t no_merge = ~std::uint64_t{0};
  std::uint64_t alive = (std::uint64_t{1} << size) - 1;
  const auto set_pair = [&](std::size_t i, const Ranked& merge) {
    order[i] = merge.rank == never ? no_merge : static_cast<std::uint64_t>(merge.rank) * 64 + i;
    results[i] = merge.result;
  };
  const auto next = [&](std::size_t i) {  // 64 behind the last
    return static_cast<std::size_t>(std::countr_zero(alive & ~std::uint64_t{1} << i));
  };
  const auto look_up = [&](std::size_t i) {
    const std::size_t right = next(i);
    const Ranked* found = right < size ? merge_of(tokens[i], tokens[right]) : nullptr;
    set_pair(i, found ? *found : Ranked{});
  };
  for (std::size_t i = 0; i < size; ++i) tokens[i] = token_of(i);
  for (std::size_t i = 0; i + 1 < size; ++i) set_pair(i, merge_of_pair(i));
  order[size - 1] = no_merge;
  for (;;) {
    std::uint64_t least = no_merge;
    for (std::size_t i = 0; i < size; ++i) least = std::min(least, order[i]);
    if (least == no_merge) break;
    const std::size_t best = least % 64;
    tokens[best] = results[best];
    const std::size_t merged = next(best);
    alive &= ~(std::uint64_t{1} << merged);
    order[merged] = no_merge;
    look_up(best);
    const std::uint64_t before = alive & ((std::uint64_t{1} << best) - 1);
    if (before != 0) look_up(63 - static_cast<std::size_t>(std::countl_zero(before)));
  }
  for (; alive != 0; alive &= alive - 1) {
    const auto at = static_cast<std::size_t>(std::countr_zero(alive));
    emit(tokens[at], at);
  }
}

}  // namespace attune
