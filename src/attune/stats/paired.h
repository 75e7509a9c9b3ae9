// Statistics on paired observations: whether two judges of the same items differ, whether two orders agree.
#pragma once

#include <cstdint>
#include <span>

namespace attune {

// McNemar's test (McNemar 1947) of two classifiers on the same items. `only_first`: items that only the first one gets
// right, `only_second`: only the second. The exact two-sided binomial p-value of the split under a fair coin; 1 when
// they never differ.
double mcnemar_p(std::int64_t only_first, std::int64_t only_second);

// Spearman's rank correlation: Pearson's of the ranks, ties at their mean rank. NaN below two values, or where one side
// is constant.
double rank_correlation(std::span<const double> x, std::span<const double> y);

}  // namespace attune
