#include "attune/base/profile.h"

#include <gtest/gtest.h>

#include <thread>

namespace attune {
namespace {

TEST(TimeSpan, CountsByNameOnlyWhileCountingIsOn) {
  { const TimeSpan ignored("before"); }
  count_time(true);
  for (int i = 0; i < 3; ++i) {
    const TimeSpan span("nap");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  count_time(false);
  { const TimeSpan ignored("after"); }
  const auto seconds = take_counted_time();
  ASSERT_EQ(seconds.size(), 1u);
  EXPECT_GE(seconds.at("nap"), 0.006);
  EXPECT_TRUE(take_counted_time().empty());
}

}  // namespace
}  // namespace attune
