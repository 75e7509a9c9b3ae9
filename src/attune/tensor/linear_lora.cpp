#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
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
    Tensor rows = full.slice(0, factor.row_begin, factor.row_end) + factor.scale * at::matmul(factor.up, factor.down);
    if (factor.magnitude.defined()) {
      rows = rows * (factor.magnitude / rows.detach().square().sum(1).sqrt()).unsqueeze(1);
    }
    full = at::cat({full.narrow(0, 0, factor.row_begin), rows, full.slice(0, factor.row_end)});
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
    const bool biased = context->saved_data["bias"].toBool();
    if (biased && context->needs_input_grad(2)) result[2] = gradient.sum(0);
    for (std::size_t i = 0; i < layout.rows.size(); ++i) {
      const auto& [begin, end, scale] = layout.rows[i];
      const Tensor &down = saved[2 + 2 * i], &up = saved[3 + 2 * i];
      // Edges are those of tensors that are there; a factor that stays as it is has none that wants a gradient.
      const bool trains = context->needs_input_grad((biased ? 3 : 2) + 2 * i);
      const Tensor d_down = trains ? at::zeros_like(down) : Tensor(), d_up = trains ? at::zeros_like(up) : Tensor();
      for (const auto& [from, to] : layout.active) {
        const Tensor g = gradient.slice(0, from, to).slice(1, begin, end), input = x.slice(0, from, to);
        const Tensor inner = product(g, up);  // [tokens, r]
        if (trains) {
          add_product(d_down, inner.t(), input, scale);
          add_product(d_up, g.t(), product(input, down.t()), scale);
        }
        if (result[0].defined()) add_product(result[0].slice(0, from, to), inner, down, scale);
      }
      result[3 + 2 * i] = d_down;
      result[4 + 2 * i] = d_up;
    }
    return result;
  }
};

// [out]: magnitude / norm of the rows that have one, else 1.
Tensor gains_of(const std::vector<LoraFactor>& factors, const Tensor& weight) {
  std::vector<Tensor> pieces;
  std::int64_t at = 0;
  for (const LoraFactor& factor : factors) {
    if (!factor.magnitude.defined()) continue;
    pieces.push_back(at::ones({factor.row_begin - at}, weight.options()));
    pieces.push_back(factor.magnitude / factor.norm);
    at = factor.row_end;
  }
  pieces.push_back(at::ones({weight.size(0) - at}, weight.options()));
  return at::cat(pieces);
}

// y, of no bias yet, times the gains where the factors are active, plus the bias.
Tensor with_gains(const Tensor& y, const Tensor& gains, const Tensor& bias, const TokenRanges& active) {
  std::vector<Tensor> pieces;
  std::int64_t at = 0;
  for (const auto& [begin, end] : active) {
    if (at < begin) pieces.push_back(y.slice(0, at, begin));
    pieces.push_back(y.slice(0, begin, end) * gains);
    at = end;
  }
  if (at < y.size(0)) pieces.push_back(y.slice(0, at));
  const Tensor scaled = pieces.size() == 1 ? pieces.front() : at::cat(pieces);
  return bias.defined() ? scaled + bias : scaled;
}

}  // namespace

Tensor row_norms(const Tensor& weight, const LoraFactor& factor) {
  const at::NoGradGuard no_grad;
  const Tensor rows = weight.slice(0, factor.row_begin, factor.row_end);
  return at::addmm(rows, factor.up, factor.down, 1, factor.scale).square_().sum(1).sqrt_();
}

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
  const bool gains =
      std::any_of(factors.begin(), factors.end(), [](const LoraFactor& factor) { return factor.magnitude.defined(); });
  if (gains) {
    const Tensor y = LinearLora::apply(x, weight, std::nullopt, at::TensorList(matrices), layout);
    return with_gains(y, gains_of(factors, weight), bias, active);
  }
  const std::optional<Tensor> added = bias.defined() ? std::optional(bias) : std::nullopt;
  return LinearLora::apply(x, weight, added, at::TensorList(matrices), layout);
}

}  // namespace attune
