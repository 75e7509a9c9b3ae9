#include "attune/train/step.h"

#include <cmath>
#include <utility>

#include "attune/base/profile.h"
#include "attune/tensor/in_place.h"

namespace attune {

Step::Step(std::vector<Parameters*> parameters, const OptimizerSettings& settings)
    : parameters_(std::move(parameters)), max_grad_norm_(settings.max_grad_norm) {
  for (Parameters* one : parameters_) {
    one->require_gradients(true);
    optimizers_.emplace_back(one->flat(), one->gradient(),
                             AdamWOptions{.beta1 = settings.adamw.beta1,
                                          .beta2 = settings.adamw.beta2,
                                          .epsilon = settings.adamw.epsilon,
                                          .weight_decay = settings.adamw.weight_decay},
                             one->matrix_ranges());
  }
}

void Step::accumulate(const Tensor& loss) {
  const GradientsInPlace in_place;
  loss.backward();
  loss_ += loss.item<double>();
}

StepReport Step::apply(double learning_rate) {
  const TimeSpan span("optimizer");
  StepReport report{.loss = std::exchange(loss_, 0), .learning_rate = learning_rate};
  double squares = 0;
  for (const Parameters* one : parameters_) squares += squared_norm(one->gradient());
  report.grad_norm = std::sqrt(squares);
  // Finite first: clipping by a norm that is not would spread it to every parameter.
  report.applied = std::isfinite(report.loss) && std::isfinite(report.grad_norm);
  if (report.applied) {
    const double scale = clip_scale(report.grad_norm, max_grad_norm_);
    for (AdamW& optimizer : optimizers_) optimizer.step(learning_rate, scale);
  }
  for (Parameters* one : parameters_) one->zero_gradients();
  return report;
}

void Step::abandon() {
  loss_ = 0;
  for (Parameters* one : parameters_) one->zero_gradients();
}

}  // namespace attune
