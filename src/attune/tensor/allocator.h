// A caching allocator for CPU tensors. glibc gives large blocks back to the system at once, so every activation is
// mapped and faulted in again (1.5 GB/s instead of 6). Here blocks of 1 MiB and more come from one reserved range of
// addresses, backed by huge pages: freed neighbours join, and the next block of any size is cut from the smallest piece
// that holds it. Batches of ever different lengths therefore use the same memory again.
#pragma once

#include <cstdint>

namespace attune {

struct AllocatorOptions {
  // Bytes of freed large blocks that are kept; beyond it all of them go back to the system. 0: half of the machine's
  // memory.
  std::uint64_t cache_limit = 0;
};

// Installs it for all CPU tensors from now on; call it once, before the first tensor. Later calls only set the limit.
// Blocks that other allocators gave out are freed by those.
void install_caching_allocator(const AllocatorOptions& options = {});

// Bytes of CPU tensors allocated through it; zeros when it is not installed.
struct AllocatorStatistics {
  std::uint64_t current = 0;
  std::uint64_t peak = 0;    // of `current`, since the start or reset_peak
  std::uint64_t cached = 0;  // freed and kept
  std::uint64_t reused = 0;  // large allocations cut from freed memory, a count
  std::uint64_t mapped = 0;  // large allocations that were not, a count
};
AllocatorStatistics allocator_statistics();
void reset_allocator_peak();
void release_cached_memory();  // gives all cached blocks back to the system

}  // namespace attune
