// Most words of a text have been seen before: each thread remembers the ids of short ones.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace attune {

// Direct-mapped: a word simply replaces the one that had its place.
class WordCache {
 public:
  // The calling thread's cache, emptied when the last text was another tokenizer's (`serial`, from 1).
  static WordCache& of_this_thread(std::uint64_t serial) {
    thread_local WordCache cache;
    if (cache.serial_ != serial) {
      cache.slots_.assign(slot_count, Slot());
      cache.serial_ = serial;
    }
    return cache;
  }

  // Appends the word's ids and returns true if it is known.
  bool append(std::string_view word, std::vector<std::int32_t>& ids) const {
    if (word.size() > longest) return false;
    const Key key = key_of(word);
    const Slot& slot = slots_[home(key)];
    if (slot.count == 0 || slot.key != key) return false;
    ids.insert(ids.end(), slot.ids.begin(), slot.ids.begin() + slot.count);
    return true;
  }

  void store(std::string_view word, std::span<const std::int32_t> ids) {
    if (word.size() > longest || ids.size() > most_ids) return;
    const Key key = key_of(word);
    Slot& slot = slots_[home(key)];
    slot.key = key;
    slot.count = static_cast<std::uint8_t>(ids.size());
    std::copy(ids.begin(), ids.end(), slot.ids.begin());
  }

 private:
  static constexpr std::size_t slot_count = std::size_t{1} << 14, longest = 15, most_ids = 4;
  using Key = std::array<std::uint64_t, 2>;  // the bytes, zeros, and the length in the last byte
  struct Slot {
    Key key = {};
    std::array<std::int32_t, most_ids> ids = {};
    std::uint8_t count = 0;
  };

  static Key key_of(std::string_view word) {
    std::array<char, 16> bytes = {};
    std::memcpy(bytes.data(), word.data(), word.size());
    bytes[15] = static_cast<char>(word.size());
    Key key;
    std::memcpy(key.data(), bytes.data(), bytes.size());
    return key;
  }
  static std::size_t home(const Key& key) {
    const std::uint64_t mixed = (key[0] ^ (key[1] * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL;
    return static_cast<std::size_t>(mixed >> 40) & (slot_count - 1);
  }

  std::vector<Slot> slots_;
  std::uint64_t serial_ = 0;
};

}  // namespace attune
