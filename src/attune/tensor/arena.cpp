#include "attune/tensor/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace attune {
namespace {

constexpr std::size_t grain = std::size_t{64} << 10;
constexpr std::size_t huge_page = std::size_t{2} << 20;

std::size_t rounded(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

Arena::Arena(std::size_t bytes) {
  for (std::size_t size = rounded(bytes, huge_page) + huge_page; size > 2 * huge_page; size = size / 2) {
    void* const range =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) continue;
    begin_ = static_cast<std::byte*>(range);
    end_ = begin_ + size;
    base_ = begin_ + (huge_page - reinterpret_cast<std::uintptr_t>(begin_) % huge_page) % huge_page;
    ::madvise(base_, static_cast<std::size_t>(end_ - base_), MADV_HUGEPAGE);  // advice: works without
    break;
  }
  top_ = base_;
}

Arena::~Arena() {
  if (begin_ != nullptr) ::munmap(begin_, static_cast<std::size_t>(end_ - begin_));
}

void Arena::insert(std::byte* begin, std::size_t size) {
  free_.emplace(begin, size);
  by_size_.emplace(size, begin);
  free_bytes_ += size;
}

void Arena::erase(std::map<std::byte*, std::size_t>::iterator piece) {
  free_bytes_ -= piece->second;
  by_size_.erase({piece->second, piece->first});
  free_.erase(piece);
}

std::byte* Arena::allocate(std::size_t bytes) {
  const std::size_t size = rounded(bytes, grain);
  std::byte* block = nullptr;
  if (const auto fit = by_size_.lower_bound({size, nullptr}); fit != by_size_.end()) {
    const auto [whole, begin] = *fit;
    block = begin;
    erase(free_.find(begin));
    if (whole > size) insert(begin + size, whole - size);
    released_ -= std::min(released_, size);
    cut_from_kept_ = true;
  } else {
    // What is free directly below the top is grown upwards.
    block = top_;
    if (!free_.empty() && std::prev(free_.end())->first + std::prev(free_.end())->second == top_) {
      block = std::prev(free_.end())->first;
    }
    if (size > static_cast<std::size_t>(end_ - block)) return nullptr;
    if (block != top_) {
      released_ -= std::min(released_, static_cast<std::size_t>(top_ - block));
      erase(std::prev(free_.end()));
    }
    top_ = block + size;
    cut_from_kept_ = false;
  }
  used_.emplace(block, size);
  return block;
}

std::size_t Arena::free(void* data) {
  auto* begin = static_cast<std::byte*>(data);
  const auto found = used_.find(begin);
  if (found == used_.end()) return 0;
  const std::size_t bytes = found->second;
  std::size_t size = bytes;
  used_.erase(found);
  const auto after = free_.lower_bound(begin);
  if (after != free_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == begin) {
      begin = before->first;
      size += before->second;
      erase(before);
    }
  }
  if (after != free_.end() && begin + size == after->first) {
    size += after->second;
    erase(after);
  }
  insert(begin, size);
  return bytes;
}

void Arena::release(std::size_t most) {
  for (auto piece = free_.rbegin(); piece != free_.rend() && kept() > most;) {
    const auto [begin, size] = *piece;
    if (begin + size != top_) {
      ::madvise(begin, size, MADV_DONTNEED);
      released_ = std::min(free_bytes_, released_ + size);
      ++piece;
      continue;
    }
    const std::size_t dropped = std::min(size, rounded(kept() - most, grain));
    top_ -= dropped;
    ::madvise(top_, dropped, MADV_DONTNEED);
    erase(std::prev(free_.end()));
    released_ = std::min(released_, free_bytes_);
    if (dropped < size) insert(begin, size - dropped);
    piece = free_.rbegin();
    if (dropped < size) ++piece;
  }
}

}  // namespace attune
