#include "attune/stats/ranks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "attune/base/errors.h"
#include "attune/stats/distributions.h"

namespace attune {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::vector<std::size_t> order_of(std::size_t size, const auto& less) {
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), less);
  return order;
}

// Calls visit(begin, end) for every stretch of equal neighbours.
void each_run(std::size_t size, const auto& equal, const auto& visit) {
  for (std::size_t begin = 0; begin < size;) {
    std::size_t end = begin + 1;
    while (end < size && equal(begin, end)) ++end;
    visit(begin, end);
    begin = end;
  }
}

double pairs_in(std::size_t size) {
  const auto n = static_cast<double>(size);
  return n * (n - 1) / 2;
}

// Sorts, and counts the pairs that stood in the wrong order; equal ones are none.
double sort_counting(std::vector<double>& values) {
  std::vector<double> merged(values.size());
  double inversions = 0;
  for (std::size_t width = 1; width < values.size(); width *= 2) {
    for (std::size_t begin = 0; begin < values.size(); begin += 2 * width) {
      const std::size_t middle = std::min(begin + width, values.size()), end = std::min(middle + width, values.size());
      std::size_t left = begin, right = middle;
      for (std::size_t out = begin; out < end; ++out) {
        const bool take_left = right == end || (left < middle && values[left] <= values[right]);
        if (!take_left) inversions += static_cast<double>(middle - left);
        merged[out] = values[take_left ? left++ : right++];
      }
    }
    values.swap(merged);
  }
  return inversions;
}

}  // namespace

std::vector<double> ranks_of(std::span<const double> values) {
  const auto order = order_of(values.size(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  each_run(
      order.size(), [&](std::size_t a, std::size_t b) { return values[order[a]] == values[order[b]]; },
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end + 1) / 2;
      });
  return ranks;
}

double correlation(std::span<const double> x, std::span<const double> y) {
  require(x.size() == y.size(), "a correlation of columns of different length");
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n,
               mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double both = 0, first = 0, second = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    both += (x[i] - mean_x) * (y[i] - mean_y);
    first += (x[i] - mean_x) * (x[i] - mean_x);
    second += (y[i] - mean_y) * (y[i] - mean_y);
  }
  const auto constant = [](std::span<const double> values) {
    return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
  };
  if (constant(x) || constant(y)) return none;
  return std::clamp(both / std::sqrt(first * second), -1.0, 1.0);
}

double rank_correlation(std::span<const double> x, std::span<const double> y) {
  return correlation(ranks_of(x), ranks_of(y));
}

double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  require(x.size() == y.size(), "a correlation of columns of different length");
  const auto order =
      order_of(x.size(), [&](std::size_t a, std::size_t b) { return x[a] != x[b] ? x[a] < x[b] : y[a] < y[b]; });
  double tied_x = 0, tied_both = 0, tied_y = 0;
  const auto same_x = [&](std::size_t a, std::size_t b) { return x[order[a]] == x[order[b]]; };
  const auto same = [&](std::size_t a, std::size_t b) { return same_x(a, b) && y[order[a]] == y[order[b]]; };
  each_run(order.size(), same_x, [&](std::size_t begin, std::size_t end) { tied_x += pairs_in(end - begin); });
  each_run(order.size(), same, [&](std::size_t begin, std::size_t end) { tied_both += pairs_in(end - begin); });
  std::vector<double> sorted;
  for (const std::size_t i : order) sorted.push_back(y[i]);
  const double discordant = sort_counting(sorted);
  each_run(
      sorted.size(), [&](std::size_t a, std::size_t b) { return sorted[a] == sorted[b]; },
      [&](std::size_t begin, std::size_t end) { tied_y += pairs_in(end - begin); });
  const double all = pairs_in(x.size());
  if (tied_x == all || tied_y == all) return none;
  const double difference = all - tied_x - tied_y + tied_both - 2 * discordant;
  return std::clamp(difference / std::sqrt(all - tied_x) / std::sqrt(all - tied_y), -1.0, 1.0);
}

Concordance kendall_w(std::span<const std::vector<double>> columns) {
  if (columns.size() < 2 || columns[0].size() < 2) return {.w = none, .p = none};
  const auto judges = static_cast<double>(columns.size()), things = static_cast<double>(columns[0].size());
  std::vector<double> sums(columns[0].size(), 0);
  double ties = 0;
  for (const auto& column : columns) {
    require(column.size() == sums.size(), "judges who ranked different things");
    std::vector<double> ranks = ranks_of(column);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += ranks[i];
    std::sort(ranks.begin(), ranks.end());
    each_run(
        ranks.size(), [&](std::size_t a, std::size_t b) { return ranks[a] == ranks[b]; },
        [&](std::size_t begin, std::size_t end) {
          const auto t = static_cast<double>(end - begin);
          ties += t * t * t - t;
        });
  }
  double squares = 0;
  for (const double sum : sums) squares += sum * sum;
  const double most = judges * judges * things * (things * things - 1) - judges * ties;
  if (most == 0) return {.w = none, .p = none};
  Concordance result{.w = (12 * squares - 3 * judges * judges * things * (things + 1) * (things + 1)) / most};
  result.freedom = things - 1;
  result.chi_squared = judges * result.freedom * result.w;
  result.p = chi_squared_tail(result.chi_squared, result.freedom);
  return result;
}

}  // namespace attune
