// A log-linear policy: pi(y|x) = softmax over y of theta . features(x, y) + bias(x, y). Answers that share features
// rise and fall together, as a language model's do and a table's do not; that is where preference losses differ.
#pragma once

#include <ATen/ops/arange.h>
#include <ATen/ops/index.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <functional>
#include <vector>

#include "attune/base/random.h"
#include "attune/objectives/objective.h"
#include "attune/policy/policy.h"
#include "attune/policy/token_record.h"

namespace attune::testing {

class LinearPolicy final : public Policy {
 public:
  // features [X, Y, D], bias [X, Y], theta [D]: where the policy starts and what the reference stays.
  LinearPolicy(Tensor features, Tensor bias, const Tensor& theta)
      : features_(std::move(features)), bias_(std::move(bias)), theta_(theta.detach().clone()) {
    reference_ = table(theta_).detach();
    theta_.set_requires_grad(true);
  }

  // Answers of one token; the only frozen model is the reference.
  Responses score(const Batch& batch, const Needs& needs) override {
    Responses responses = batch.skeleton(theta_);
    std::vector<std::int64_t> prompts, answers;
    for (const auto& planned : batch.responses) {
      prompts.push_back(planned.prompt);
      answers.push_back(planned.completion);
    }
    const Tensor x = at::tensor(prompts, at::kLong), y = at::tensor(answers, at::kLong);
    responses.logps = table(theta_).index({x, y});
    responses.tokens.logps = responses.logps;
    responses.tokens.response = at::arange(responses.size(), at::kLong);
    const Tensor frozen = reference_.index({x, y});
    if (needs.needs_model("reference")) responses.models["reference"] = {frozen, frozen};
    return responses;
  }

  Tensor log_probabilities() const { return table(theta_).detach(); }  // [X, Y]
  const Tensor& reference() const { return reference_; }               // [X, Y]
  const Tensor& theta() const { return theta_; }

  // KL(pi || reference), a mean over prompts.
  double reverse_kl() const {
    const Tensor logps = log_probabilities();
    return (logps.exp() * (logps - reference_)).sum(1).mean().item<double>();
  }

  // One step of gradient descent on the batch; the loss before it.
  double descend(const ObjectiveList& objectives, const Batch& batch, double rate) {
    const Needs needs = needs_of(objectives);
    Counts counts;
    counts.add(batch);
    const Tensor loss =
        total(compute(objectives, score(batch, needs), std::vector<Statistics>(objectives.size()), {}), counts);
    theta_.mutable_grad() = Tensor();
    loss.backward();
    const at::AutoGradMode off(false);
    theta_.sub_(rate * theta_.grad());
    return loss.item<double>();
  }

 private:
  Tensor table(const Tensor& theta) const { return at::log_softmax(at::matmul(features_, theta) + bias_, -1); }

  Tensor features_, bias_, theta_, reference_;
};

inline Tensor normal(Random& random, const std::vector<std::int64_t>& shape, double scale = 1) {
  Tensor values = at::zeros(shape, at::kDouble);
  double* data = values.data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) data[i] = scale * random.normal();
  return values;
}

// Every prompt x as a record of `answers` one-token answers, changed by `label`.
inline Batch batch_of(const ObjectiveList& objectives, std::int64_t prompts, std::int64_t answers,
                      const std::function<void(TokenRecord&, std::int64_t)>& label) {
  Layout layout;
  for (std::int64_t x = 0; x < prompts; ++x) {
    TokenRecord record;
    record.scored_tokens.assign(static_cast<std::size_t>(answers), 1);
    record.sequence_tokens.assign(static_cast<std::size_t>(answers), 2);
    label(record, x);
    lay_out(objectives, record.view(x), layout);
  }
  return layout.take();
}

}  // namespace attune::testing
