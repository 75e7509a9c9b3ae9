// rms_norm_residual, split_heads and swiglu: what stands between the matrix products.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>

#include <optional>

#include "attune/base/profile.h"
#include "attune/tensor/held.h"
#include "attune/tensor/operations.h"
#include "attune/tensor/reference.h"
#include "attune/tensor/rows.h"

namespace attune {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::size_t rows_at_once = 16;

NormOfSum rms_norm_reference(const Tensor& residual, const Tensor& delta, const Tensor& weight, double epsilon) {
  const Tensor sum = delta.defined() ? residual + delta : residual;
  return {sum * at::rsqrt(at::mean(sum * sum, -1, true) + epsilon) * weight, sum};
}

struct RmsNormResidual : torch::autograd::Function<RmsNormResidual> {
  static variable_list forward(AutogradContext* context, const Tensor& residual, const std::optional<Tensor>& delta,
                               const Tensor& weight, double epsilon) {
    const TimeSpan span("norms, forward");
    const Tensor sum = delta ? at::empty_like(residual) : residual;
    const Tensor normed = at::empty_like(residual), rstd = at::empty({residual.size(0)}, residual.options());
    with_type(residual, [&]<typename T>(T) {
      const kernels::RmsNorm<T> norm{.residual = residual.const_data_ptr<T>(),
                                     .delta = delta ? delta->const_data_ptr<T>() : nullptr,
                                     .weight = weight.const_data_ptr<T>(),
                                     .sum = delta ? sum.mutable_data_ptr<T>() : nullptr,
                                     .normed = normed.mutable_data_ptr<T>(),
                                     .rstd = rstd.mutable_data_ptr<T>(),
                                     .width = residual.size(1),
                                     .epsilon = epsilon};
      for_rows(residual.size(0), rows_at_once, [&](kernels::Range rows) { kernels::rms_norm(norm, rows); });
    });
    context->save_for_backward({sum, weight, rstd});
    context->set_materialize_grads(false);
    context->saved_data["delta"] = delta.has_value();
    return {normed, sum};
  }

  // The weight's gradient is summed in blocks of rows whose number does not depend on threads, so results repeat.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("norms, backward");
    const variable_list saved = context->get_saved_variables();
    const Tensor &sum = saved[0], &weight = saved[1], &rstd = saved[2];
    if (!gradients[0].defined()) return {gradients[1], gradients[1], Tensor(), Tensor()};
    const Tensor gradient = gradients[0].contiguous();
    const Tensor passed = gradients[1].defined() ? gradients[1].contiguous() : Tensor();
    const std::int64_t rows = sum.size(0), width = sum.size(1);
    const Tensor d_sum = at::empty_like(sum), d_weight = at::zeros({rows_at_once, width}, sum.options());
    with_type(sum, [&]<typename T>(T) {
      const kernels::RmsNormGradient<T> whole{.gradient = gradient.const_data_ptr<T>(),
                                              .passed = passed.defined() ? passed.const_data_ptr<T>() : nullptr,
                                              .sum = sum.const_data_ptr<T>(),
                                              .weight = weight.const_data_ptr<T>(),
                                              .rstd = rstd.const_data_ptr<T>(),
                                              .d_sum = d_sum.mutable_data_ptr<T>(),
                                              .d_weight = d_weight.mutable_data_ptr<T>(),
                                              .width = width};
      constexpr auto blocks = static_cast<std::int64_t>(rows_at_once);
      parallel_for(rows_at_once, 1, [&](std::size_t first, std::size_t last) {
        for (auto block = static_cast<std::int64_t>(first); block < static_cast<std::int64_t>(last); ++block) {
          kernels::RmsNormGradient<T> part = whole;
          part.d_weight += block * width;
          kernels::rms_norm_gradient(part, {rows * block / blocks, rows * (block + 1) / blocks});
        }
      });
    });
    return {d_sum, context->saved_data["delta"].toBool() ? d_sum : Tensor(), d_weight.sum(0), Tensor()};
  }
};

// x [T, h, e] (heads adjacent, any row stride) -> y, turned by +angle, or by -angle for the gradient.
void rotate(const Tensor& from, const Tensor& to, const Tensor& cosines, const Tensor& sines, double sign) {
  if (!cosines.defined()) {
    to.copy_(from);
    return;
  }
  with_type(from, [&]<typename T>(T) {
    const kernels::Rotary<T> rotary{.from = from.const_data_ptr<T>(),
                                    .cosines = cosines.const_data_ptr<T>(),
                                    .sines = sines.const_data_ptr<T>(),
                                    .to = to.mutable_data_ptr<T>(),
                                    .heads = from.size(1),
                                    .half = from.size(2) / 2,
                                    .from_stride = from.stride(0),
                                    .to_stride = to.stride(0),
                                    .sign = sign};
    for_rows(from.size(0), rows_at_once, [&](kernels::Range rows) { kernels::rotate(rotary, rows); });
  });
}

Heads split_heads_reference(const Tensor& projected, std::int64_t heads, std::int64_t kv_heads, const Tensor& cosines,
                            const Tensor& sines) {
  const Tensor all = projected.view({projected.size(0), heads + 2 * kv_heads, -1});
  const auto turn = [&](const Tensor& x) {
    if (!cosines.defined()) return x;
    const Tensor c = cosines.unsqueeze(1), s = sines.unsqueeze(1);
    const std::int64_t half = x.size(2) / 2;
    const Tensor a = x.narrow(2, 0, half), b = x.narrow(2, half, half);
    return at::cat({a * c - b * s, b * c + a * s}, 2);
  };
  return {turn(all.narrow(1, 0, heads)), turn(all.narrow(1, heads, kv_heads)),
          all.narrow(1, heads + kv_heads, kv_heads)};
}

struct Angles {
  Tensor cosines, sines;  // constants, possibly undefined
};

struct SplitHeads : torch::autograd::Function<SplitHeads> {
  static variable_list forward(AutogradContext* context, const Tensor& projected, std::int64_t heads,
                               std::int64_t kv_heads, const Angles& angles) {
    const TimeSpan span("rotary, forward");
    const Tensor all = projected.view({projected.size(0), heads + 2 * kv_heads, -1});
    const std::int64_t tokens = all.size(0), width = all.size(2);
    const Tensor queries = at::empty({tokens, heads, width}, all.options());
    const Tensor keys = at::empty({tokens, kv_heads, width}, all.options());
    rotate(all.narrow(1, 0, heads), queries, angles.cosines, angles.sines, 1);
    rotate(all.narrow(1, heads, kv_heads), keys, angles.cosines, angles.sines, 1);
    hold(context, "angles", angles);
    return {queries, keys, all.narrow(1, heads + kv_heads, kv_heads).contiguous()};
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("rotary, backward");
    const auto& angles = held<Angles>(context, "angles");
    const std::int64_t tokens = gradients[0].size(0), heads = gradients[0].size(1), kv_heads = gradients[1].size(1);
    const Tensor all = at::empty({tokens, heads + 2 * kv_heads, gradients[0].size(2)}, gradients[0].options());
    rotate(gradients[0].contiguous(), all.narrow(1, 0, heads), angles.cosines, angles.sines, -1);
    rotate(gradients[1].contiguous(), all.narrow(1, heads, kv_heads), angles.cosines, angles.sines, -1);
    all.narrow(1, heads + kv_heads, kv_heads).copy_(gradients[2]);
    return {all.view({tokens, -1}), Tensor(), Tensor(), Tensor()};
  }
};

Tensor swiglu_reference(const Tensor& gate_up) {
  const std::int64_t width = gate_up.size(1) / 2;
  return at::silu(gate_up.narrow(1, 0, width)) * gate_up.narrow(1, width, width);
}

struct SwigluProduct : torch::autograd::Function<SwigluProduct> {
  static Tensor forward(AutogradContext* context, const Tensor& gate_up) {
    const TimeSpan span("swiglu, forward");
    context->save_for_backward({gate_up});
    const std::int64_t width = gate_up.size(1) / 2;
    const Tensor product = at::empty({gate_up.size(0), width}, gate_up.options());
    with_type(gate_up, [&]<typename T>(T) {
      const kernels::Swiglu<T> all{gate_up.const_data_ptr<T>(), product.mutable_data_ptr<T>(), width};
      for_rows(gate_up.size(0), rows_at_once, [&](kernels::Range rows) { kernels::swiglu(all, rows); });
    });
    return product;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("swiglu, backward");
    const Tensor gate_up = context->get_saved_variables()[0], gradient = gradients[0].contiguous();
    const Tensor result = at::empty_like(gate_up);
    with_type(gate_up, [&]<typename T>(T) {
      const kernels::SwigluGradient<T> all{gate_up.const_data_ptr<T>(), gradient.const_data_ptr<T>(),
                                           result.mutable_data_ptr<T>(), gate_up.size(1) / 2};
      for_rows(gate_up.size(0), rows_at_once, [&](kernels::Range rows) { kernels::swiglu_gradient(all, rows); });
    });
    return {result};
  }
};

}  // namespace

NormOfSum rms_norm_residual(const Tensor& residual, const Tensor& delta, const Tensor& weight, double epsilon) {
  if (use_reference(residual)) return rms_norm_reference(residual, delta, weight, epsilon);
  const std::optional<Tensor> added = delta.defined() ? std::optional(delta.contiguous()) : std::nullopt;
  const variable_list out = RmsNormResidual::apply(residual.contiguous(), added, weight, epsilon);
  return {out[0], out[1]};
}

Heads split_heads(const Tensor& projected, std::int64_t heads, std::int64_t kv_heads, const Tensor& cosines,
                  const Tensor& sines) {
  if (use_reference(projected)) return split_heads_reference(projected, heads, kv_heads, cosines, sines);
  const variable_list out = SplitHeads::apply(projected, heads, kv_heads, Angles{cosines, sines});
  return {out[0], out[1], out[2]};
}

Tensor swiglu(const Tensor& gate_up) {
  return use_reference(gate_up) ? swiglu_reference(gate_up) : SwigluProduct::apply(gate_up.contiguous());
}

}  // namespace attune
