#include "attune/objectives/transport.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/where.h>

namespace attune::objectives {

Tensor coupling(const Tensor& x, const Tensor& all) {
  const at::NoGradGuard no_gradient;
  const Tensor sorted = std::get<0>(all.sort());
  const std::int64_t size = sorted.size(0);
  const auto rank = [&](const Tensor& values, bool right) { return at::searchsorted(sorted, values, false, right); };
  // x is one of `all`, but perhaps not to the last bit, coming from another forward pass: its rank is the nearest
  // one's.
  const Tensor at_or_above = rank(x.detach().contiguous(), false).clamp_max(size - 1);
  const Tensor below = (at_or_above - 1).clamp_min(0);
  const auto distance = [&](const Tensor& i) { return (sorted.index_select(0, i) - x).abs(); };
  const Tensor nearest = at::where(distance(below) < distance(at_or_above), below, at_or_above);
  const Tensor value = sorted.index_select(0, nearest);
  const Tensor first = rank(value, false).unsqueeze(1), last = rank(value, true).unsqueeze(1);
  const Tensor position = at::arange(size, first.options()).unsqueeze(0);
  const Tensor inside = position.ge(first).logical_and(position.lt(last));
  return inside.to(x.scalar_type()) / (last - first);
}

}  // namespace attune::objectives
