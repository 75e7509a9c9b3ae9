// dense and embedding_rows: the two operations that use whole matrices of weights. Of at:: operations alone, so that
// their fused forms serve every device.
#include <ATen/ops/embedding.h>
#include <ATen/ops/zeros_like.h>

#include <atomic>
#include <optional>

#include "attune/base/profile.h"
#include "attune/tensor/in_place.h"
#include "attune/tensor/operations.h"
#include "attune/tensor/products.h"
#include "attune/tensor/reference.h"

namespace attune {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::atomic<bool> in_place{false};  // backward passes of other devices run on threads of their own

struct LinearProduct : torch::autograd::Function<LinearProduct> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    const TimeSpan span("matrix products, forward");
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return linear_product(x, weight, bias);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("matrix products, backward");
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &gradient = gradients[0];
    variable_list result(3);
    if (context->needs_input_grad(0)) result[0] = product(gradient, weight);
    if (context->needs_input_grad(1)) {
      if (Tensor buffer = gradient_buffer(weight); buffer.defined()) {
        add_product(buffer, gradient.t(), x);
      } else {
        result[1] = product(gradient.t(), x);
      }
    }
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) result[2] = gradient.sum(0);
    return result;
  }
};

struct EmbeddingRows : torch::autograd::Function<EmbeddingRows> {
  static Tensor forward(AutogradContext* context, const Tensor& table, const Tensor& ids) {
    const TimeSpan span("embedding, forward");
    context->save_for_backward({table, ids});
    return at::embedding(table, ids);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("embedding, backward");
    const variable_list saved = context->get_saved_variables();
    Tensor buffer = gradient_buffer(saved[0]);
    const bool added = buffer.defined();
    if (!added) buffer = at::zeros_like(saved[0]);
    buffer.index_add_(0, saved[1], gradients[0]);
    return {added ? Tensor() : buffer, Tensor()};
  }
};

}  // namespace

GradientsInPlace::GradientsInPlace() : before_(in_place.exchange(true)) {}
GradientsInPlace::~GradientsInPlace() { in_place = before_; }

Tensor gradient_buffer(const Tensor& weight) {
  return in_place && weight.is_leaf() && weight.requires_grad() ? weight.grad() : Tensor();
}

Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::optional<Tensor> added = bias.defined() ? std::optional(bias) : std::nullopt;
  return reference_operations() ? linear_product(x, weight, added) : LinearProduct::apply(x, weight, added);
}

Tensor embedding_rows(const Tensor& table, const Tensor& ids) {
  return reference_operations() ? at::embedding(table, ids) : EmbeddingRows::apply(table, ids);
}

}  // namespace attune
