#include "attune/stats/paired.h"

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"

namespace attune {

double mcnemar_p(std::int64_t only_first, std::int64_t only_second) {
  require(only_first >= 0 && only_second >= 0, "counts below zero");
  const std::int64_t total = only_first + only_second, least = std::min(only_first, only_second);
  const auto n = static_cast<double>(total);
  // 2 P(X <= least), X binomial(total, 1/2); the terms in logarithms, since 2^-total leaves the range of doubles.
  double tail = 0;
  for (std::int64_t k = 0; k <= least; ++k) {
    const auto i = static_cast<double>(k);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) - n * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace attune
