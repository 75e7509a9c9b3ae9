#include "attune/text/word_cache.h"

#include <new>

namespace attune {

// A thread that changes between a few tokenizers (of models that are compared) keeps a cache for each.
WordCache& WordCache::of_this_thread(std::uint64_t serial) {
  static constexpr std::size_t bytes = sizeof(Bucket) << bucket_bits;
  thread_local std::array<WordCache, 4> caches;
  thread_local std::uint64_t now = 0;
  WordCache* cache = &caches[0];
  for (WordCache& one : caches) {
    if (one.serial_ == serial) {
      one.last_use_ = ++now;
      return one;
    }
    if (one.last_use_ < cache->last_use_) cache = &one;
  }
  cache->buckets_.reset(static_cast<Bucket*>(std::aligned_alloc(alignof(Bucket), bytes)));
  if (!cache->buckets_) throw std::bad_alloc();
  std::memset(static_cast<void*>(cache->buckets_.get()), 0, bytes);
  cache->serial_ = serial;
  cache->last_use_ = ++now;
  return *cache;
}

}  // namespace attune
