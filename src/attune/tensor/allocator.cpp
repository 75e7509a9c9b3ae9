#include "attune/tensor/allocator.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "attune/base/errors.h"
#include "attune/tensor/torch.h"

namespace attune {
namespace {

constexpr std::size_t large = std::size_t{1} << 20;      // blocks from here on are cached
constexpr std::size_t huge_page = std::size_t{2} << 20;  // large blocks are aligned to it and made of whole ones
constexpr std::size_t small_alignment = 64;

// Eighths of a power of two: at most 12.5 % of a block is wasted, and sizes that differ little share blocks.
std::size_t size_class(std::size_t bytes) {
  const std::size_t step = std::max(huge_page, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

class CachingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = bytes == 0 ? nullptr : bytes < large ? allocate_small(bytes) : allocate_large(bytes);
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }

  void set_limit(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    limit_ = bytes;
    shrink(limit_);
  }
  AllocatorStatistics statistics() {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    statistics_.peak = statistics_.current;
  }
  void drop_cache() {
    const std::lock_guard lock(mutex_);
    shrink(0);
  }

  // Never destroyed: tensors with static lifetime are freed after main().
  static CachingAllocator& instance() {
    static auto* allocator = new CachingAllocator;
    return *allocator;
  }

 private:
  static void release(void* data) {
    if (data != nullptr) instance().free(data);
  }

  void count(std::size_t bytes) {
    statistics_.current += bytes;
    statistics_.peak = std::max(statistics_.peak, statistics_.current);
  }

  void* allocate_small(std::size_t bytes) {
    void* data = nullptr;
    if (::posix_memalign(&data, small_alignment, bytes) != 0) refuse(bytes);
    const std::lock_guard lock(mutex_);
    count(::malloc_usable_size(data));
    return data;
  }

  void* allocate_large(std::size_t bytes) {
    const std::size_t size = size_class(bytes);
    const std::lock_guard lock(mutex_);
    void* data = nullptr;
    if (const auto kept = cache_.find(size); kept != cache_.end() && !kept->second.empty()) {
      data = kept->second.back();
      kept->second.pop_back();
      statistics_.cached -= size;
      ++statistics_.reused;
    } else {
      data = map(size);
      ++statistics_.mapped;
    }
    sizes_.emplace(data, size);
    count(size);
    return data;
  }

  void* map(std::size_t size) {
    void* data = nullptr;
    if (::posix_memalign(&data, huge_page, size) != 0) {
      shrink(0);
      if (::posix_memalign(&data, huge_page, size) != 0) refuse(size);
    }
    ::madvise(data, size, MADV_HUGEPAGE);  // advice: without huge pages everything still works
    return data;
  }

  [[noreturn]] static void refuse(std::size_t bytes) {
    throw DeviceError({}, "no memory for a tensor of " + std::to_string(bytes) + " bytes", "",
                      "use smaller micro-batches or recompute blocks");
  }

  void free(void* data) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(data);
    if (found == sizes_.end()) {
      statistics_.current -= ::malloc_usable_size(data);
      ::free(data);
      return;
    }
    const std::size_t size = found->second;
    sizes_.erase(found);
    statistics_.current -= size;
    if (size > limit_) {
      ::free(data);
      return;
    }
    shrink(limit_ - size);
    cache_[size].push_back(data);
    statistics_.cached += size;
  }

  // Frees cached blocks, largest class first, until at most `target` bytes are kept.
  void shrink(std::uint64_t target) {
    while (statistics_.cached > target) {
      auto last = std::prev(cache_.end());
      if (last->second.empty()) {
        cache_.erase(last);
        continue;
      }
      ::free(last->second.back());
      last->second.pop_back();
      statistics_.cached -= last->first;
    }
  }

  std::mutex mutex_;
  std::uint64_t limit_ = 0;
  std::unordered_map<void*, std::size_t> sizes_;     // of large blocks in use
  std::map<std::size_t, std::vector<void*>> cache_;  // by class
  AllocatorStatistics statistics_;
};

}  // namespace

void install_caching_allocator(const AllocatorOptions& options) {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  CachingAllocator::instance().set_limit(options.cache_limit > 0 ? options.cache_limit : pages * page / 2);
  c10::SetCPUAllocator(&CachingAllocator::instance(), 1);
}

AllocatorStatistics allocator_statistics() { return CachingAllocator::instance().statistics(); }
void reset_allocator_peak() { CachingAllocator::instance().reset_peak(); }
void release_cached_memory() { CachingAllocator::instance().drop_cache(); }

}  // namespace attune
