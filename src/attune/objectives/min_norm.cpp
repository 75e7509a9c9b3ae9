#include "attune/objectives/min_norm.h"

#include <ATen/ops/matmul.h>

#include <algorithm>

#include "attune/base/errors.h"

namespace attune::objectives {

std::vector<double> min_norm_weights(const Tensor& vectors) {
  const auto count = static_cast<std::size_t>(vectors.size(0));
  require(count > 0, "the convex hull of nothing");
  const Tensor wide = vectors.detach().to(at::kDouble).cpu();
  const Tensor products = at::matmul(wide, wide.t()).contiguous();
  const auto product = [&, values = products.const_data_ptr<double>()](std::size_t i, std::size_t j) {
    return values[i * count + j];
  };
  std::vector<double> weights(count, 1 / static_cast<double>(count)), slope(count);
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, product(i, i));
  constexpr int most_steps = 10'000;
  for (int step = 0; step < most_steps; ++step) {
    // Half the slope of the squared norm along each weight: the inner product of the point with the vertex.
    for (std::size_t i = 0; i < count; ++i) {
      slope[i] = 0;
      for (std::size_t j = 0; j < count; ++j) slope[i] += weights[j] * product(i, j);
    }
    std::size_t to = 0, from = count;
    for (std::size_t i = 0; i < count; ++i) {
      if (slope[i] < slope[to]) to = i;
      if (weights[i] > 0 && (from == count || slope[i] > slope[from])) from = i;
    }
    const double gain = slope[from] - slope[to];
    if (gain <= 1e-14 * largest) break;
    const double curvature = product(from, from) - 2 * product(from, to) + product(to, to);
    const double length = curvature > 0 ? std::min(gain / curvature, weights[from]) : weights[from];
    weights[to] += length;
    weights[from] = length == weights[from] ? 0 : weights[from] - length;
  }
  return weights;
}

}  // namespace attune::objectives
