// Memory for large blocks out of one range of addresses: what is freed joins its free neighbours, and a request takes
// the smallest free piece that holds it, the lowest of equals. Not for several threads at once.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace attune {

class Arena {
 public:
  // Reserves addresses, no memory; less than asked for where the system allows less.
  explicit Arena(std::size_t bytes);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // A block of at least `bytes` > 0, aligned to 64 KiB; nullptr when no piece is large enough.
  std::byte* allocate(std::size_t bytes);
  // Gives a block back, and its size; 0 for one that is not from here.
  std::size_t free(void* block);
  // The size of a block in use.
  std::size_t size_of(void* block) const { return used_.at(static_cast<std::byte*>(block)); }

  // Bytes that were used before and are free now: they cost no page faults.
  std::size_t kept() const { return free_bytes_ - released_; }
  // Gives kept bytes back to the system until at most `most` are left, from the highest address down.
  void release(std::size_t most);
  bool cut_from_kept() const { return cut_from_kept_; }  // where the last block came from

 private:
  void insert(std::byte* begin, std::size_t size);
  void erase(std::map<std::byte*, std::size_t>::iterator piece);

  std::byte* begin_ = nullptr;  // of the reservation
  std::byte* end_ = nullptr;
  std::byte* base_ = nullptr;  // first aligned address
  std::byte* top_ = nullptr;   // above it nothing is in use
  std::unordered_map<std::byte*, std::size_t> used_;
  std::map<std::byte*, std::size_t> free_;                // by address
  std::set<std::pair<std::size_t, std::byte*>> by_size_;  // the same pieces
  std::size_t free_bytes_ = 0;                            // of all pieces
  std::size_t released_ = 0;  // of these, what went back to the system and was not used since
  bool cut_from_kept_ = false;
};

}  // namespace attune
