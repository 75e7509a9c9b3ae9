#include "attune/stats/paired.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "attune/base/errors.h"

namespace attune {
namespace {

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + end - 1) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

}  // namespace

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

double rank_correlation(std::span<const double> x, std::span<const double> y) {
  require(x.size() == y.size(), "a rank correlation of columns of different length");
  const std::vector<double> a = ranks_of(x), b = ranks_of(y);
  const double centre = (static_cast<double>(x.size()) - 1) / 2;  // the mean rank, with ties too
  double both = 0, first = 0, second = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - centre) * (b[i] - centre);
    first += (a[i] - centre) * (a[i] - centre);
    second += (b[i] - centre) * (b[i] - centre);
  }
  if (first == 0 || second == 0) return std::numeric_limits<double>::quiet_NaN();
  return both / std::sqrt(first * second);
}

}  // namespace attune
