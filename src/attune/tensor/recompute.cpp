#include "attune/tensor/recompute.h"

#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "attune/tensor/held.h"

namespace attune {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Recompute : torch::autograd::Function<Recompute> {
  // `trigger` requires a gradient: without it a piece whose only trainable tensors are captured (frozen embeddings
  // under an adapter) would be left out of the graph.
  static variable_list forward(AutogradContext* context, const Tensor& /*trigger*/, const Piece& piece,
                               at::TensorList inputs) {
    const at::NoGradGuard no_grad;
    context->save_for_backward(inputs.vec());
    hold(context, "piece", piece);
    return piece(inputs.vec());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::AutoGradMode with_grad(true);
    variable_list inputs;
    for (std::size_t i = 0; i < saved.size(); ++i) {
      inputs.push_back(saved[i].detach().set_requires_grad(context->needs_input_grad(1 + i)));
    }
    const variable_list outputs = held<Piece>(context, "piece")(inputs);
    // Under an adapter the stream that a parallel block hands on as it came in has no gradient to give.
    variable_list trained, their_gradients;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad()) continue;
      trained.push_back(outputs[i]);
      their_gradients.push_back(gradients[i]);
    }
    torch::autograd::backward(trained, their_gradients);
    variable_list result(2);
    for (const Tensor& input : inputs) result.push_back(input.grad());
    return result;
  }
};

}  // namespace

std::vector<Tensor> recompute(const Piece& piece, const std::vector<Tensor>& inputs) {
  if (!at::GradMode::is_enabled()) return piece(inputs);
  const Tensor trigger = at::zeros({1}, inputs.at(0).options()).set_requires_grad(true);
  return Recompute::apply(trigger, piece, at::TensorList(inputs));
}

}  // namespace attune
