// The policies of these tests are tiny: threads would only wait for each other.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace attune {
namespace {

class OneCore final : public ::testing::Environment {
 public:
  void SetUp() override { at::set_num_threads(1); }
};

[[maybe_unused]] const auto* const one_core = ::testing::AddGlobalTestEnvironment(new OneCore);

}  // namespace
}  // namespace attune
