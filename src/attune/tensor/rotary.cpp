#include "attune/tensor/rotary.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include "attune/base/profile.h"
#include "attune/tensor/reference.h"
#include "attune/tensor/rows.h"

namespace attune {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor rotate_plain(const Tensor& x, const Tensor& cosines, const Tensor& sines, RotaryPairs pairs) {
  const Tensor c = cosines.unsqueeze(1), s = sines.unsqueeze(1);
  const std::int64_t half = cosines.size(1), width = x.size(2);
  const bool neighbours = pairs == RotaryPairs::neighbours;
  const Tensor a = neighbours ? x.slice(2, 0, 2 * half, 2) : x.narrow(2, 0, half);
  const Tensor b = neighbours ? x.slice(2, 1, 2 * half, 2) : x.narrow(2, half, half);
  const Tensor first = a * c - b * s, second = b * c + a * s;
  const Tensor turned = neighbours ? at::stack({first, second}, 3).flatten(2) : at::cat({first, second}, 2);
  return 2 * half == width ? turned : at::cat({turned, x.narrow(2, 2 * half, width - 2 * half)}, 2);
}

// Whole heads in halves, by the kernel.
struct RotateHeads : torch::autograd::Function<RotateHeads> {
  static Tensor turned(const Tensor& from, const Tensor& cosines, const Tensor& sines, double sign) {
    const Tensor x = from.contiguous(), to = at::empty(x.sizes(), x.options());
    with_type(x, [&]<typename T>(T) {
      const kernels::Rotary<T> rotary{.from = x.const_data_ptr<T>(),
                                      .cosines = cosines.const_data_ptr<T>(),
                                      .sines = sines.const_data_ptr<T>(),
                                      .to = to.mutable_data_ptr<T>(),
                                      .heads = x.size(1),
                                      .half = x.size(2) / 2,
                                      .from_stride = x.stride(0),
                                      .to_stride = to.stride(0),
                                      .sign = sign};
      for_rows(x.size(0), 16, [&](kernels::Range rows) { kernels::rotate(rotary, rows); });
    });
    return to;
  }
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& cosines, const Tensor& sines) {
    const TimeSpan span("rotary, forward");
    context->save_for_backward({cosines, sines});
    return turned(x, cosines, sines, 1);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("rotary, backward");
    const variable_list angles = context->get_saved_variables();
    return {turned(gradients[0], angles[0], angles[1], -1), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rotate_heads(const Tensor& x, const Tensor& cosines, const Tensor& sines, RotaryPairs pairs) {
  if (!cosines.defined()) return x;
  const bool whole = pairs == RotaryPairs::halves && 2 * cosines.size(1) == x.size(2);
  return whole && !use_reference(x) ? RotateHeads::apply(x, cosines, sines) : rotate_plain(x, cosines, sines, pairs);
}

}  // namespace attune
