// rms_norm_residual, split_heads and swiglu: what stands between the matrix products.
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/threads.h"
#include "attune/tensor/held.h"
#include "attune/tensor/operations.h"
#include "attune/tensor/reference.h"

namespace attune {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::size_t rows_at_once = 16;

// Calls body with a value of the tensor's element type.
template <class Body>
void with_type(const Tensor& tensor, const Body& body) {
  if (tensor.scalar_type() == at::kDouble) {
    body(double{});
  } else {
    require(tensor.scalar_type() == at::kFloat, "an operation on another type than float32 and float64");
    body(float{});
  }
}

template <class Body>
void for_rows(std::int64_t rows, const Body& body) {
  parallel_for(static_cast<std::size_t>(rows), rows_at_once, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) body(static_cast<std::int64_t>(row));
  });
}

NormOfSum rms_norm_reference(const Tensor& residual, const Tensor& delta, const Tensor& weight, double epsilon) {
  const Tensor sum = delta.defined() ? residual + delta : residual;
  return {sum * at::rsqrt(at::mean(sum * sum, -1, true) + epsilon) * weight, sum};
}

// Row by row: rstd[i] = 1 / sqrt(mean(sum[i]^2) + epsilon).
template <typename T>
void rms_norm_rows(const Tensor& sum, const Tensor& weight, double epsilon, const Tensor& normed, const Tensor& rstd) {
  const std::int64_t width = sum.size(1);
  const T* x = sum.const_data_ptr<T>();
  const T* w = weight.const_data_ptr<T>();
  T* y = normed.mutable_data_ptr<T>();
  T* r = rstd.mutable_data_ptr<T>();
  for_rows(sum.size(0), [&](std::int64_t row) {
    const T* in = x + row * width;
    double square = 0;
    for (std::int64_t i = 0; i < width; ++i) square += double(in[i]) * double(in[i]);
    r[row] = T(1 / std::sqrt(square / static_cast<double>(width) + epsilon));
    for (std::int64_t i = 0; i < width; ++i) y[row * width + i] = in[i] * r[row] * w[i];
  });
}

// d sum = rstd (g w - xhat mean(g w xhat)); the weight's gradient is summed in blocks of rows whose number does not
// depend on threads, so results repeat.
template <typename T>
void rms_norm_gradient(const Tensor& gradient, const Tensor& sum, const Tensor& weight, const Tensor& rstd,
                       const Tensor& d_sum, const Tensor& d_weight) {
  const std::int64_t rows = sum.size(0), width = sum.size(1), blocks = d_weight.size(0);
  const T* g = gradient.const_data_ptr<T>();
  const T* x = sum.const_data_ptr<T>();
  const T* w = weight.const_data_ptr<T>();
  const T* r = rstd.const_data_ptr<T>();
  T* dx = d_sum.mutable_data_ptr<T>();
  T* dw = d_weight.mutable_data_ptr<T>();
  parallel_for(static_cast<std::size_t>(blocks), 1, [&](std::size_t first, std::size_t last) {
    for (auto block = static_cast<std::int64_t>(first); block < static_cast<std::int64_t>(last); ++block) {
      T* weights = dw + block * width;
      for (std::int64_t row = rows * block / blocks; row < rows * (block + 1) / blocks; ++row) {
        const T *gi = g + row * width, *xi = x + row * width;
        double inner = 0;
        for (std::int64_t i = 0; i < width; ++i) inner += double(gi[i]) * double(w[i]) * double(xi[i]);
        const T along = T(inner / static_cast<double>(width) * double(r[row]) * double(r[row]));
        for (std::int64_t i = 0; i < width; ++i) {
          dx[row * width + i] = r[row] * (gi[i] * w[i] - xi[i] * along);
          weights[i] += gi[i] * xi[i] * r[row];
        }
      }
    }
  });
}

struct RmsNormResidual : torch::autograd::Function<RmsNormResidual> {
  static variable_list forward(AutogradContext* context, const Tensor& residual, const Tensor& delta,
                               const Tensor& weight, double epsilon) {
    const Tensor sum = at::add(residual, delta);
    const Tensor normed = at::empty_like(sum), rstd = at::empty({sum.size(0)}, sum.options());
    with_type(sum, [&]<typename T>(T) { rms_norm_rows<T>(sum, weight, epsilon, normed, rstd); });
    context->save_for_backward({sum, weight, rstd});
    return {normed, sum};
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &sum = saved[0], &weight = saved[1], &rstd = saved[2];
    const Tensor d_sum = at::empty_like(sum), d_weight = at::zeros({rows_at_once, sum.size(1)}, sum.options());
    with_type(sum, [&]<typename T>(T) {
      rms_norm_gradient<T>(gradients[0].contiguous(), sum, weight, rstd, d_sum, d_weight);
    });
    const Tensor total = d_sum.add_(gradients[1]);
    return {total, total, d_weight.sum(0), Tensor()};
  }
};

// x [T, h, e] with any row stride -> y (contiguous heads), rotated by +angle, or by -angle for the gradient.
template <typename T>
void rotate_rows(const Tensor& from, const Tensor& to, const Tensor& cosines, const Tensor& sines, T sign) {
  const std::int64_t heads = from.size(1), half = from.size(2) / 2;
  const T* x = from.const_data_ptr<T>();
  T* y = to.mutable_data_ptr<T>();
  const T* c = cosines.const_data_ptr<T>();
  const T* s = sines.const_data_ptr<T>();
  for_rows(from.size(0), [&](std::int64_t row) {
    const T *cos = c + row * half, *sin = s + row * half;
    for (std::int64_t head = 0; head < heads; ++head) {
      const T* in = x + row * from.stride(0) + head * from.stride(1);
      T* out = y + row * to.stride(0) + head * to.stride(1);
      for (std::int64_t i = 0; i < half; ++i) {
        out[i] = in[i] * cos[i] - sign * in[i + half] * sin[i];
        out[i + half] = in[i + half] * cos[i] + sign * in[i] * sin[i];
      }
    }
  });
}

void rotate(const Tensor& from, const Tensor& to, const Tensor& cosines, const Tensor& sines, double sign) {
  if (!cosines.defined()) {
    to.copy_(from);
    return;
  }
  with_type(from, [&]<typename T>(T) { rotate_rows<T>(from, to, cosines, sines, T(sign)); });
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

struct Swiglu : torch::autograd::Function<Swiglu> {
  static Tensor forward(AutogradContext* context, const Tensor& gate_up) {
    context->save_for_backward({gate_up});
    const std::int64_t width = gate_up.size(1) / 2;
    return at::silu(gate_up.narrow(1, 0, width)).mul_(gate_up.narrow(1, width, width));
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const Tensor gate_up = context->get_saved_variables()[0];
    const std::int64_t width = gate_up.size(1) / 2;
    const Tensor gate = gate_up.narrow(1, 0, width), up = gate_up.narrow(1, width, width);
    const Tensor result = at::empty_like(gate_up);
    Tensor d_gate = result.narrow(1, 0, width), d_up = result.narrow(1, width, width);
    at::mul_out(d_up, at::silu(gate), gradients[0]);
    d_gate.copy_(at::silu_backward(gradients[0] * up, gate));
    return {result};
  }
};

}  // namespace

NormOfSum rms_norm_residual(const Tensor& residual, const Tensor& delta, const Tensor& weight, double epsilon) {
  if (reference_operations()) return rms_norm_reference(residual, delta, weight, epsilon);
  const variable_list out = RmsNormResidual::apply(
      residual, delta.defined() ? delta : at::zeros({1}, residual.options()).expand_as(residual), weight, epsilon);
  return {out[0], out[1]};
}

Heads split_heads(const Tensor& projected, std::int64_t heads, std::int64_t kv_heads, const Tensor& cosines,
                  const Tensor& sines) {
  if (reference_operations()) return split_heads_reference(projected, heads, kv_heads, cosines, sines);
  const variable_list out = SplitHeads::apply(projected, heads, kv_heads, Angles{cosines, sines});
  return {out[0], out[1], out[2]};
}

Tensor swiglu(const Tensor& gate_up) {
  return reference_operations() ? swiglu_reference(gate_up) : Swiglu::apply(gate_up);
}

}  // namespace attune
