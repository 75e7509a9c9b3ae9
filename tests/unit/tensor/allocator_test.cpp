#include "attune/tensor/allocator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "attune/tensor/torch.h"

namespace attune {
namespace {

constexpr std::int64_t mebibyte = 1 << 20;

Tensor bytes(std::int64_t count) { return at::empty({count}, at::TensorOptions(at::kByte)); }

TEST(Allocator, LargeBlocksAreAlignedAndUsedAgain) {
  install_caching_allocator();
  const AllocatorStatistics before = allocator_statistics();
  const void* first = nullptr;
  {
    const Tensor block = bytes(5 * mebibyte);
    first = block.const_data_ptr();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % (2 * mebibyte), 0u);
  }
  const Tensor again = bytes(5 * mebibyte + 1000);  // the same class
  EXPECT_EQ(again.const_data_ptr(), first);
  const AllocatorStatistics after = allocator_statistics();
  EXPECT_EQ(after.mapped - before.mapped, 1u);
  EXPECT_EQ(after.reused - before.reused, 1u);
}

TEST(Allocator, CountsCurrentAndPeakBytesOfSmallAndLargeBlocks) {
  install_caching_allocator();
  const std::uint64_t start = allocator_statistics().current;
  reset_allocator_peak();
  {
    const Tensor large = bytes(16 * mebibyte), small = bytes(1000);
    EXPECT_GE(allocator_statistics().current - start, 16u * mebibyte + 1000u);
  }
  EXPECT_EQ(allocator_statistics().current, start);
  EXPECT_GE(allocator_statistics().peak - start, 16u * mebibyte);
  EXPECT_LT(allocator_statistics().peak - start, 20u * mebibyte);
}

TEST(Allocator, KeepsNoMoreThanItsLimit) {
  install_caching_allocator({.cache_limit = 8 * mebibyte});
  { const Tensor one = bytes(6 * mebibyte), two = bytes(6 * mebibyte), three = bytes(100 * mebibyte); }
  EXPECT_LE(allocator_statistics().cached, 8u * mebibyte);
  EXPECT_GT(allocator_statistics().cached, 0u);
  release_cached_memory();
  EXPECT_EQ(allocator_statistics().cached, 0u);
  install_caching_allocator();
}

TEST(Allocator, TensorsFromBeforeAreFreedByTheirOwnAllocator) {
  Tensor before = at::ones({3 * mebibyte});
  install_caching_allocator();
  before = at::ones({10});
  EXPECT_EQ(before.sum().item<float>(), 10);
  EXPECT_EQ(bytes(0).numel(), 0);
}

}  // namespace
}  // namespace attune
