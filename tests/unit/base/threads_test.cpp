#include "attune/base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace attune {
namespace {

TEST(Threads, EveryIndexIsVisitedOnceAlsoWhenNested) {
  std::vector<std::atomic<int>> visits(10000);
  parallel_for(visits.size(), 1, [&](std::size_t begin, std::size_t end) {
    parallel_for(end - begin, 1, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) ++visits[begin + i];
    });
  });
  for (const auto& count : visits) ASSERT_EQ(count.load(), 1);
}

TEST(Threads, AnExceptionOfATaskReachesTheCallerAndThePoolLivesOn) {
  EXPECT_THROW(parallel_for(100, 1, [](std::size_t, std::size_t) { throw std::runtime_error("x"); }),
               std::runtime_error);
  std::atomic<std::size_t> sum{0};
  parallel_for(100, 1, [&](std::size_t begin, std::size_t end) { sum += end - begin; });
  EXPECT_EQ(sum.load(), 100u);
}

}  // namespace
}  // namespace attune
