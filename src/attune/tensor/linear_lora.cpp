#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>

#include <optional>

#include "attune/base/profile.h"
#include "attune/tensor/held.h"
#include "attune/tensor/operations.h"
#include "attune/tensor/products.h"
#include "attune/tensor/reference.h"

namespace attune {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct LoraLayout {
  struct Rows {
    std::int64_t begin, end;
    double scale;
  };
  std::vector<Rows> rows;  // of each factor
  TokenRanges active;
};

Tensor linear_lora_reference(const Tensor& x, const Tensor& weight, const Tensor& bias,
                             const std::vector<LoraFactor>& factors, const TokenRanges& active) {
  Tensor full = weight;
  for (const LoraFactor& factor : factors) {
    const Tensor change = factor.scale * at::matmul(factor.up, factor.down);
    full = at::cat({full.narrow(0, 0, factor.row_begin), full.slice(0, factor.row_begin, factor.row_end) + change,
                    full.slice(0, factor.row_end)});
  }
  std::vector<Tensor> pieces;
  std::int64_t at = 0;
  for (const auto& [begin, end] : active) {
    pieces.push_back(linear_product(x.slice(0, at, begin), weight, bias));
    pieces.push_back(linear_product(x.slice(0, begin, end), full, bias));
    at = end;
  }
  pieces.push_back(linear_product(x.slice(0, at), weight, bias));
  return at::cat(pieces);
}

struct LinearLora : torch::autograd::Function<LinearLora> {
  // factors: down and up alternately
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias, at::TensorList factors, const LoraLayout& layout) {
    const TimeSpan span("matrix products, forward");
    const Tensor y = linear_product(x, weight, bias);
    variable_list saved = {x, weight};
    for (std::size_t i = 0; i < layout.rows.size(); ++i) {
      const auto& [begin, end, scale] = layout.rows[i];
      for (const auto& [from, to] : layout.active) {
        const Tensor inner = product(x.slice(0, from, to), factors[2 * i].t());
        add_product(y.slice(0, from, to).slice(1, begin, end), inner, factors[2 * i + 1].t(), scale);
      }
    }
    for (const Tensor& factor : factors) saved.push_back(factor);
    context->save_for_backward(saved);
    context->saved_data["bias"] = bias.has_value();
    hold(context, "layout", layout);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("matrix products, backward");
    const variable_list saved = context->get_saved_variables();
    const auto& layout = held<LoraLayout>(context, "layout");
    const Tensor &x = saved[0], &weight = saved[1], gradient = gradients[0].contiguous();
    variable_list result(3 + 2 * layout.rows.size() + 1);
    if (context->needs_input_grad(0)) result[0] = product(gradient, weight);
    if (context->needs_input_grad(1)) result[1] = product(gradient.t(), x);
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) result[2] = gradient.sum(0);
    for (std::size_t i = 0; i < layout.rows.size(); ++i) {
      const auto& [begin, end, scale] = layout.rows[i];
      const Tensor &down = saved[2 + 2 * i], &up = saved[3 + 2 * i];
      Tensor d_down = at::zeros_like(down), d_up = at::zeros_like(up);
      for (const auto& [from, to] : layout.active) {
        const Tensor g = gradient.slice(0, from, to).slice(1, begin, end), input = x.slice(0, from, to);
        const Tensor inner = product(g, up);  // [tokens, r]
        add_product(d_down, inner.t(), input, scale);
        add_product(d_up, g.t(), product(input, down.t()), scale);
        if (result[0].defined()) add_product(result[0].slice(0, from, to), inner, down, scale);
      }
      result[3 + 2 * i] = d_down;
      result[4 + 2 * i] = d_up;
    }
    return result;
  }
};

}  // namespace

Tensor linear_lora(const Tensor& x, const Tensor& weight, const Tensor& bias, const std::vector<LoraFactor>& factors,
                   const TokenRanges& active) {
  if (factors.empty() || active.empty()) return dense(x, weight, bias);
  if (reference_operations()) return linear_lora_reference(x, weight, bias, factors, active);
  LoraLayout layout{.rows = {}, .active = active};
  std::vector<Tensor> matrices;
  for (const LoraFactor& factor : factors) {
    layout.rows.push_back({factor.row_begin, factor.row_end, factor.scale});
    matrices.push_back(factor.down);
    matrices.push_back(factor.up);
  }
  const std::optional<Tensor> added = bias.defined() ? std::optional(bias) : std::nullopt;
  return LinearLora::apply(x, weight, added, at::TensorList(matrices), layout);
}

}  // namespace attune
