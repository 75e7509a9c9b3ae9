#include "attune/train/step.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "attune/base/profile.h"
#include "attune/tensor/in_place.h"

namespace attune {

Step::Step(std::vector<Parameters*> parameters, const OptimizerSettings& settings)
    : parameters_(std::move(parameters)), settings_(settings) {
  optimizers_.reserve(parameters_.size());  // in_backward refers to them
  for (Parameters* one : parameters_) {
    AdamW& optimizer = optimizers_.emplace_back(one->flat(),
                                                AdamWOptions{.beta1 = settings.adamw.beta1,
                                                             .beta2 = settings.adamw.beta2,
                                                             .epsilon = settings.adamw.epsilon,
                                                             .weight_decay = settings.adamw.weight_decay,
                                                             .moments = settings.moments},
                                                one->matrix_ranges());
    if (settings.in_backward) {
      one->hand_out_gradients(
          [this, &optimizer](std::int64_t begin, const Tensor& gradient) { update_now(optimizer, begin, gradient); });
    } else {
      one->require_gradients(true);
    }
  }
}

void Step::set_rate_ratio(const Parameters& parameters, double ratio) {
  const auto place = std::find(parameters_.begin(), parameters_.end(), &parameters) - parameters_.begin();
  AdamW& optimizer = optimizers_.at(static_cast<std::size_t>(place));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor& leaf = parameters.leaf(i);
    const bool faster = leaf.dim() == 1 || parameters.spec(i).parts.front().name.ends_with(".lora_B.weight");
    if (faster) optimizer.set_rate(leaf.storage_offset(), leaf.storage_offset() + leaf.numel(), ratio);
  }
}

void Step::accumulate(const Tensor& loss) {
  if (settings_.in_backward) {
    losses_.push_back(loss.detach());
    if (!std::isfinite(loss.item<double>())) return;
    for (AdamW& optimizer : optimizers_) optimizer.begin(learning_rate_);
    loss.backward();
    return;
  }
  const GradientsInPlace in_place;
  loss.backward();
  losses_.push_back(loss.detach());
}

void Step::update_now(AdamW& optimizer, std::int64_t begin, const Tensor& gradient) {
  const TimeSpan span("optimizer");
  squares_ += squared_norm(gradient);
  if (std::isfinite(squares_)) optimizer.update(begin, gradient);
}

StepReport Step::apply() {
  const TimeSpan span("optimizer");
  StepReport report{.learning_rate = learning_rate_};
  for (const Tensor& loss : std::exchange(losses_, {})) report.loss += loss.item<double>();
  double squares = std::exchange(squares_, 0);
  if (!settings_.in_backward) {
    for (const Parameters* one : parameters_) squares += squared_norm(one->gradient());
  }
  report.grad_norm = std::sqrt(squares);
  // Finite first: clipping by a norm that is not would spread it to every parameter.
  report.applied = std::isfinite(report.loss) && std::isfinite(report.grad_norm);
  if (settings_.in_backward) return report;
  if (report.applied) {
    const double scale = clip_scale(report.grad_norm, settings_.max_grad_norm);
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      optimizers_[i].begin(learning_rate_);
      optimizers_[i].update(0, parameters_[i]->gradient(), scale);
    }
  }
  for (Parameters* one : parameters_) one->zero_gradients();
  return report;
}

void Step::abandon() {
  losses_.clear();
  squares_ = 0;
  for (Parameters* one : parameters_) one->zero_gradients();
}

}  // namespace attune
