// Open-addressing hash tables for the encode path: keys in one array, no allocation per entry, no erasing.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/base/hash.h"

namespace attune {

// Packed 64-bit keys (all but ~0) to small values.
template <class Value>
class FlatMap {
 public:
  explicit FlatMap(std::size_t expected = 0) : slots_(std::bit_ceil(expected * 2 + 8)) {}

  const Value* find(std::uint64_t key) const {
    for (std::size_t at = home(key);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key) return &slots_[at].value;
      if (slots_[at].key == none) return nullptr;
    }
  }

  // Inserts or replaces.
  void set(std::uint64_t key, Value value) {
    if (size_ * 2 >= slots_.size()) grow();
    std::size_t at = home(key);
    while (slots_[at].key != none && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    size_ += slots_[at].key == none;
    slots_[at] = {key, value};
  }

 private:
  static constexpr std::uint64_t none = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = none;
    Value value = {};
  };

  std::size_t home(std::uint64_t key) const {
    key *= 0x9E3779B97F4A7C15ULL;  // Fibonacci hashing: the high bits are the mixed ones
    return static_cast<std::size_t>(key >> 32) & (slots_.size() - 1);
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    size_ = 0;
    for (const Slot& slot : old) {
      if (slot.key != none) set(slot.key, slot.value);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

// Byte strings numbered in the order of insertion.
class StringTable {
 public:
  static constexpr std::int32_t none = -1;

  // The number of `text`, or none.
  std::int32_t find(std::string_view text) const {
    if (slots_.empty()) return none;
    for (std::size_t at = hash64(text) & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at] == none || (*this)[slots_[at]] == text) return slots_[at];
    }
  }

  // Its number, and whether it was new.
  std::pair<std::int32_t, bool> insert(std::string_view text) {
    if (begins_.size() * 2 >= slots_.size()) grow();
    std::size_t at = hash64(text) & (slots_.size() - 1);
    while (slots_[at] != none) {
      if ((*this)[slots_[at]] == text) return {slots_[at], false};
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = static_cast<std::int32_t>(size());
    bytes_ += text;
    begins_.push_back(bytes_.size());
    return {slots_[at], true};
  }

  std::string_view operator[](std::int32_t number) const {
    const auto index = static_cast<std::size_t>(number);
    return std::string_view(bytes_).substr(begins_[index], begins_[index + 1] - begins_[index]);
  }
  std::size_t size() const { return begins_.size() - 1; }

 private:
  void grow() {
    slots_.assign(std::max<std::size_t>(16, slots_.size() * 2), none);
    for (std::size_t number = 0; number < size(); ++number) {
      std::size_t at = hash64((*this)[static_cast<std::int32_t>(number)]) & (slots_.size() - 1);
      while (slots_[at] != none) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = static_cast<std::int32_t>(number);
    }
  }

  std::string bytes_;
  std::vector<std::size_t> begins_ = {0};
  std::vector<std::int32_t> slots_;
};

}  // namespace attune
