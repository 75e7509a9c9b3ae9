// Reward models that are linear in given features of an answer: outputs(x, y) = features(x, y) W. What papers claim of
// losses on rewards is shown on them exactly and in milliseconds.
#pragma once

#include <ATen/ops/index.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>

#include <utility>
#include <vector>

#include "attune/objectives/objective.h"
#include "attune/policy/policy.h"
#include "support/linear_policy.h"

namespace attune::testing {

class LinearRewards final : public Policy {
 public:
  // features [X, Y, D], weights [D, k]: where training starts.
  LinearRewards(Tensor features, const Tensor& weights)
      : features_(std::move(features)), weights_(weights.detach().clone()) {
    weights_.set_requires_grad(true);
  }

  Responses score(const Batch& batch, const Needs&) override {
    std::vector<std::int64_t> prompts, answers;
    for (const auto& planned : batch.responses) {
      prompts.push_back(planned.record);
      answers.push_back(planned.completion);
    }
    Responses responses = batch.skeleton(weights_);
    responses.states = features_.index({at::tensor(prompts, at::kLong), at::tensor(answers, at::kLong)});
    responses.outputs = at::matmul(responses.states, weights_);
    return responses;
  }

  Tensor outputs() const { return at::matmul(features_, weights_).detach(); }  // [X, Y, k]
  const Tensor& weights() const { return weights_; }

  // Loss and gradient [D, k] of one step over the batch.
  std::pair<double, Tensor> gradient(const ObjectiveList& objectives, const Batch& batch,
                                     const Progress& progress = {}) {
    const Needs needs = needs_of(objectives);
    Counts counts;
    counts.add(batch);
    statistics_.resize(objectives.size());
    if (needs.statistics) {
      const at::NoGradGuard no_gradient;
      const Responses responses = score(batch, needs);
      for (std::size_t i = 0; i < objectives.size(); ++i) {
        statistics_[i] = objectives[i]->update(statistics_[i], objectives[i]->gather(responses));
      }
    }
    const Tensor loss = total(compute(objectives, score(batch, needs), statistics_, progress), counts);
    weights_.mutable_grad() = Tensor();
    loss.backward();
    return {loss.item<double>(), weights_.grad().clone()};
  }

  void descend(const ObjectiveList& objectives, const Batch& batch, double rate, int steps) {
    for (int step = 0; step < steps; ++step) {
      const Progress progress{.fraction = static_cast<double>(step) / steps, .step = step};
      const Tensor direction = gradient(objectives, batch, progress).second;
      const at::NoGradGuard no_gradient;
      weights_.sub_(rate * direction);
    }
  }

 private:
  Tensor features_, weights_;
  std::vector<Statistics> statistics_;  // of each objective, of the last step
};

}  // namespace attune::testing
