#include "attune/train/step.h"

#include <cmath>
#include <utility>

namespace attune {
namespace {

Parameters& trainable(Parameters& parameters) {
  parameters.require_gradients(true);
  return parameters;
}

}  // namespace

Step::Step(Parameters& parameters, const OptimizerSettings& settings)
    : parameters_(&trainable(parameters)),
      max_grad_norm_(settings.max_grad_norm),
      optimizer_(parameters.flat(), parameters.gradient(),
                 {.beta1 = settings.adamw.beta1,
                  .beta2 = settings.adamw.beta2,
                  .epsilon = settings.adamw.epsilon,
                  .weight_decay = settings.adamw.weight_decay},
                 parameters.matrix_ranges()) {}

void Step::accumulate(const Tensor& loss) {
  loss.backward();
  loss_ += loss.item<double>();
}

StepReport Step::apply(double learning_rate) {
  StepReport report{.loss = std::exchange(loss_, 0), .learning_rate = learning_rate};
  report.grad_norm = std::sqrt(squared_norm(parameters_->gradient()));
  // Finite first: clipping by a norm that is not would spread it to every parameter.
  report.applied = std::isfinite(report.loss) && std::isfinite(report.grad_norm);
  if (report.applied) optimizer_.step(learning_rate, clip_scale(report.grad_norm, max_grad_norm_));
  parameters_->zero_gradients();
  return report;
}

void Step::abandon() {
  loss_ = 0;
  parameters_->zero_gradients();
}

}  // namespace attune
