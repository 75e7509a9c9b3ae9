// Statistics on paired observations: whether two judges of the same items differ.
#pragma once

#include <cstdint>

namespace attune {

// McNemar's test (McNemar 1947) of two classifiers on the same items. `only_first`: items that only the first one gets
// right, `only_second`: only the second. The exact two-sided binomial p-value of the split under a fair coin; 1 when
// they never differ.
double mcnemar_p(std::int64_t only_first, std::int64_t only_second);

}  // namespace attune
