#include "attune/tensor/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

namespace attune {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

TEST(Arena, NeighboursThatAreFreedBecomeOnePiece) {
  Arena arena(64 * mebibyte);
  std::byte* const one = arena.allocate(mebibyte);
  std::byte* const two = arena.allocate(mebibyte);
  std::byte* const three = arena.allocate(mebibyte);
  std::byte* const guard = arena.allocate(mebibyte);
  EXPECT_EQ(arena.free(one), mebibyte);
  EXPECT_EQ(arena.free(three), mebibyte);
  EXPECT_EQ(arena.free(two), mebibyte);
  EXPECT_EQ(arena.allocate(3 * mebibyte), one);
  EXPECT_TRUE(arena.cut_from_kept());
  EXPECT_EQ(arena.free(guard), mebibyte);
}

TEST(Arena, TheSmallestPieceThatFitsIsTaken) {
  Arena arena(64 * mebibyte);
  std::byte* const wide = arena.allocate(4 * mebibyte);
  arena.allocate(mebibyte);
  std::byte* const narrow = arena.allocate(2 * mebibyte);
  arena.allocate(mebibyte);
  arena.free(wide);
  arena.free(narrow);
  EXPECT_EQ(arena.allocate(2 * mebibyte), narrow);
  EXPECT_EQ(arena.allocate(2 * mebibyte), wide);
}

TEST(Arena, APieceBelowTheTopGrowsInsteadOfLeavingAHole) {
  Arena arena(64 * mebibyte);
  std::byte* const first = arena.allocate(4 * mebibyte);
  arena.free(first);
  EXPECT_EQ(arena.allocate(6 * mebibyte), first);
  EXPECT_FALSE(arena.cut_from_kept());
}

TEST(Arena, RefusesWhatIsNotItsOwnAndWhatDoesNotFit) {
  Arena arena(8 * mebibyte);
  int elsewhere = 0;
  EXPECT_EQ(arena.free(&elsewhere), 0u);
  EXPECT_EQ(arena.allocate(1000 * mebibyte), nullptr);
  EXPECT_NE(arena.allocate(4 * mebibyte), nullptr);
}

TEST(Arena, ReleasesNoMoreThanItMust) {
  Arena arena(64 * mebibyte);
  std::byte* const low = arena.allocate(4 * mebibyte);
  arena.allocate(mebibyte);
  std::byte* const high = arena.allocate(8 * mebibyte);
  arena.free(low);
  arena.free(high);
  EXPECT_EQ(arena.kept(), 12 * mebibyte);
  arena.release(6 * mebibyte);
  EXPECT_EQ(arena.kept(), 6 * mebibyte);
  arena.release(0);
  EXPECT_EQ(arena.kept(), 0u);
  EXPECT_EQ(arena.allocate(4 * mebibyte), low);  // still there, without memory behind it
  EXPECT_EQ(arena.kept(), 0u);
}

// A thousand random requests: blocks never overlap, and what is written stays.
TEST(Arena, BlocksNeverOverlap) {
  Arena arena(256 * mebibyte);
  std::mt19937 random(7);
  std::map<std::byte*, std::pair<std::size_t, unsigned char>> live;
  for (int i = 0; i < 1000; ++i) {
    if (live.size() > 20 || (!live.empty() && random() % 2 == 0)) {
      auto victim = live.begin();
      std::advance(victim, random() % live.size());
      const auto [block, content] = *victim;
      for (const std::size_t at : {std::size_t{0}, content.first / 2, content.first - 1}) {
        ASSERT_EQ(static_cast<unsigned char>(block[at]), content.second);
      }
      ASSERT_GE(arena.free(block), content.first);
      live.erase(victim);
    } else {
      const std::size_t size = 1 + random() % (3 * mebibyte);
      std::byte* const block = arena.allocate(size);
      ASSERT_NE(block, nullptr);
      const auto mark = static_cast<unsigned char>(random());
      std::memset(block, mark, size);
      live[block] = {size, mark};
    }
    if (i % 100 == 99) arena.release(mebibyte);
  }
}

}  // namespace
}  // namespace attune
