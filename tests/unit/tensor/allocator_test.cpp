#include "attune/tensor/allocator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {
namespace {

constexpr std::int64_t mebibyte = 1 << 20;

Tensor bytes(std::int64_t count) { return at::empty({count}, at::TensorOptions(at::kByte)); }

TEST(Allocator, LargeBlocksAreUsedAgain) {
  install_caching_allocator();
  const AllocatorStatistics before = allocator_statistics();
  const void* first = nullptr;
  {
    const Tensor block = bytes(5 * mebibyte);
    first = block.const_data_ptr();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % (64 << 10), 0u);
  }
  const Tensor again = bytes(5 * mebibyte - 1000);
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

// What a run does whose batches are never of one length: the memory of the longest one serves them all.
TEST(Allocator, BatchesOfAllLengthsShareTheMemoryOfTheLongest) {
  install_caching_allocator();
  release_cached_memory();
  const std::uint64_t before = allocator_statistics().current;
  const auto batch = [](std::int64_t tokens) {
    std::vector<Tensor> kept;
    for (std::int64_t layer = 0; layer < 8; ++layer) {
      kept.push_back(bytes(tokens * 2304));
      const Tensor passing = bytes(tokens * 12288);
      kept.push_back(bytes(tokens * 6144));
    }
  };
  batch(1400);
  const std::uint64_t once = allocator_statistics().cached;
  for (std::int64_t tokens = 800; tokens <= 1400; tokens += 37) batch(tokens);
  EXPECT_EQ(allocator_statistics().current, before);
  EXPECT_LE(allocator_statistics().cached, once + once / 50);
  release_cached_memory();
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
