#include "attune/base/machine.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

TEST(Machine, SaysWhatItHas) {
  EXPECT_FALSE(processor_name().empty());
  EXPECT_GT(memory_bytes(), 1e8);
  EXPECT_GT(available_memory_bytes(), 1e6);
  EXPECT_LE(available_memory_bytes(), memory_bytes());
  EXPECT_GT(resident_bytes(), 1e5);
  EXPECT_LT(resident_bytes(), memory_bytes());
}

}  // namespace
}  // namespace attune
