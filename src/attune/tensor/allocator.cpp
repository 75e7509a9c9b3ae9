#include "attune/tensor/allocator.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "attune/base/errors.h"
#include "attune/tensor/arena.h"
#include "attune/tensor/torch.h"

namespace attune {
namespace {

constexpr std::size_t large = std::size_t{1} << 20;  // blocks from here on come from the arena
constexpr std::size_t small_alignment = 64;

std::uint64_t machine_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
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
    arena_.release(limit_);
  }
  AllocatorStatistics statistics() {
    const std::lock_guard lock(mutex_);
    statistics_.cached = arena_.kept();
    return statistics_;
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    statistics_.peak = statistics_.current;
  }
  void drop_cache() {
    const std::lock_guard lock(mutex_);
    arena_.release(0);
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
    const std::lock_guard lock(mutex_);
    void* const data = arena_.allocate(bytes);
    if (data == nullptr) refuse(bytes);
    ++(arena_.cut_from_kept() ? statistics_.reused : statistics_.mapped);
    count(arena_.size_of(data));
    return data;
  }

  [[noreturn]] static void refuse(std::size_t bytes) {
    throw DeviceError({}, "no memory for a tensor of " + std::to_string(bytes) + " bytes", "",
                      "use smaller micro-batches or recompute blocks");
  }

  void free(void* data) {
    const std::lock_guard lock(mutex_);
    if (const std::size_t size = arena_.free(data); size > 0) {
      statistics_.current -= size;
      if (arena_.kept() > limit_) arena_.release(limit_);
      return;
    }
    statistics_.current -= ::malloc_usable_size(data);
    ::free(data);
  }

  std::mutex mutex_;
  std::uint64_t limit_ = 0;
  Arena arena_{2 * machine_memory()};  // addresses: room for gaps, and for a machine with swap
  AllocatorStatistics statistics_;
};

}  // namespace

void install_caching_allocator(const AllocatorOptions& options) {
  CachingAllocator::instance().set_limit(options.cache_limit > 0 ? options.cache_limit : machine_memory() / 2);
  c10::SetCPUAllocator(&CachingAllocator::instance(), 1);
}

AllocatorStatistics allocator_statistics() { return CachingAllocator::instance().statistics(); }
void reset_allocator_peak() { CachingAllocator::instance().reset_peak(); }
void release_cached_memory() { CachingAllocator::instance().drop_cache(); }

}  // namespace attune
