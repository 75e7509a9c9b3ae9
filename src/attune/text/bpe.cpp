#include "attune/text/bpe.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <optional>
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

// A word that repeats a few symbols ("aaaa...", "\u00e9\u00e9\u00e9...") merges all its repetitions alike: done here on
// one of them, for as long as no other order could come of it. What is left is a shorter word with the same tokens.
class RepeatedWord {
 public:
  struct Symbol {
    std::int32_t id = 0;
    std::uint32_t width = 1;  // symbols of the word given
  };

  // Nothing unless the word is long and repeats up to four symbols.
  static std::optional<RepeatedWord> of(const Bpe& bpe, std::span<const std::int32_t> symbols) {
    if (symbols.size() < shortest) return std::nullopt;
    for (std::size_t period = 1; period <= longest_period; ++period) {
      const auto begin = symbols.begin(), shifted = begin + static_cast<std::ptrdiff_t>(period);
      if (!std::equal(shifted, symbols.end(), begin)) continue;
      RepeatedWord word(bpe);
      for (std::size_t i = 0; i < period; ++i) word.unit_.push_back({symbols[i], 1});
      word.count_ = symbols.size() / period;
      for (std::size_t i = word.count_ * period; i < symbols.size(); ++i) word.tail_.push_back({symbols[i], 1});
      return word;
    }
    return std::nullopt;
  }

  void merge() {
    while (count_ > 1 && (join_in_tail() || (unit_.size() == 1 ? double_unit() : join_in_unit()))) {
    }
  }

  // True if no merge is left.
  bool done() const {
    const bool inside = count_ > 1 && rank(unit_.back().id, unit_.front().id) != Bpe::never;
    return !inside && lowest_in_unit() == Bpe::never && lowest_in_tail().first == Bpe::never;
  }

  template <class Take>
  void each(Take take) const {
    for (std::size_t i = 0; i < count_; ++i) std::ranges::for_each(unit_, take);
    std::ranges::for_each(tail_, take);
  }

 private:
  static constexpr std::size_t shortest = 256, longest_period = 4;

  explicit RepeatedWord(const Bpe& bpe) : bpe_(bpe) {}

  std::int32_t rank(std::int32_t left, std::int32_t right) const {
    const Bpe::Ranked* merge = bpe_.merge_of(left, right);
    return merge ? merge->rank : Bpe::never;
  }

  std::int32_t lowest_in_unit() const {
    std::int32_t lowest = Bpe::never;
    for (std::size_t i = 0; i + 1 < unit_.size(); ++i) lowest = std::min(lowest, rank(unit_[i].id, unit_[i + 1].id));
    return lowest;
  }
  // Of the last repetition with the tail, and in the tail; where: the place in the tail of the pair's right side.
  std::pair<std::int32_t, std::size_t> lowest_in_tail() const {
    std::pair<std::int32_t, std::size_t> lowest = {Bpe::never, 0};
    for (std::size_t i = 0; i < tail_.size(); ++i) {
      const std::int32_t left = i == 0 ? unit_.back().id : tail_[i - 1].id;
      lowest = std::min(lowest, {rank(left, tail_[i].id), i});
    }
    return lowest;
  }

  // True if a merge of this rank goes before all that the word's end offers, now or with the new token.
  bool before_tail(std::int32_t rank_now, std::int32_t token) const {
    return tail_.empty() || (lowest_in_tail().first > rank_now && rank(token, tail_[0].id) > rank_now);
  }

  // A pair of the tail that goes before all of the repetitions.
  bool join_in_tail() {
    const auto [lowest, right] = lowest_in_tail();
    const std::int32_t in_units = std::min(lowest_in_unit(), rank(unit_.back().id, unit_.front().id));
    if (lowest >= in_units || (right == 0 && unit_.size() > 1)) return false;
    const Symbol left = right == 0 ? unit_.back() : tail_[right - 1];
    const std::int32_t token = bpe_.merge_of(left.id, tail_[right].id)->result;
    tail_[right] = {token, left.width + tail_[right].width};
    if (right == 0) {
      --count_;
    } else {
      tail_.erase(tail_.begin() + static_cast<std::ptrdiff_t>(right) - 1);
    }
    return true;
  }

  // True if the new token, beside itself and what is around it, offers nothing that goes before the merge that made it.
  bool goes_on(std::int32_t rank_now, std::int32_t token) const {
    if (rank(token, token) <= rank_now) return false;
    return std::ranges::none_of(unit_, [&](const Symbol& symbol) {
      return rank(token, symbol.id) <= rank_now || rank(symbol.id, token) <= rank_now;
    });
  }

  // x x x x x to y y and an x behind them.
  bool double_unit() {
    const Symbol symbol = unit_[0];
    const Bpe::Ranked* merge = bpe_.merge_of(symbol.id, symbol.id);
    if (!merge || !goes_on(merge->rank, merge->result) || !before_tail(merge->rank, merge->result)) return false;
    if (count_ % 2 == 1) tail_.insert(tail_.begin(), symbol);
    count_ /= 2;
    unit_[0] = {merge->result, symbol.width * 2};
    return true;
  }

  // The best pair, if it lies inside each repetition and once there.
  bool join_in_unit() {
    std::size_t best = unit_.size();
    std::int32_t lowest = rank(unit_.back().id, unit_.front().id);
    bool alone = false;
    for (std::size_t i = 0; i + 1 < unit_.size(); ++i) {
      const std::int32_t here = rank(unit_[i].id, unit_[i + 1].id);
      if (here == lowest) alone = false;
      if (here < lowest) best = i, lowest = here, alone = true;
    }
    if (!alone) return false;
    const std::int32_t token = bpe_.merge_of(unit_[best].id, unit_[best + 1].id)->result;
    if (!goes_on(lowest, token) || !before_tail(lowest, token)) return false;
    unit_[best] = {token, unit_[best].width + unit_[best + 1].width};
    unit_.erase(unit_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    return true;
  }

  const Bpe& bpe_;
  std::vector<Symbol> unit_, tail_;
  std::size_t count_ = 0;
};

template <class Emit>
void Bpe::merge_long(std::span<const std::int32_t> symbols, Emit emit) const {
  std::optional<RepeatedWord> repeated = RepeatedWord::of(*this, symbols);
  if (!repeated) {
    LongWord word(*this, symbols);
    word.merge_all();
    return word.each(emit);
  }
  repeated->merge();
  std::vector<std::int32_t> left;
  std::vector<std::size_t> firsts;
  std::size_t first = 0;
  const bool done = repeated->done();
  repeated->each([&](const RepeatedWord::Symbol& symbol) {
    if (done) {
      emit(symbol.id, first);
    } else {
      left.push_back(symbol.id);
      firsts.push_back(first);
    }
    first += symbol.width;
  });
  if (done) return;
  LongWord word(*this, left);
  word.merge_all();
  word.each([&](std::int32_t id, std::size_t at) { emit(id, firsts[at]); });
}

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
  merge_long(symbols, [&](std::int32_t id, std::size_t) { ids.push_back(id); });
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
  merge_long(symbols, emit);
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
