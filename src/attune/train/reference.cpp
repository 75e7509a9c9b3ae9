#include "attune/train/reference.h"

#include <ATen/ops/lerp.h>

#include <cmath>

#include "attune/base/errors.h"

namespace attune {
namespace {

std::shared_ptr<LanguageModel> shared(LanguageModel model) { return std::make_shared<LanguageModel>(std::move(model)); }

}  // namespace

// He et al. 2024, "Accelerated Preference Optimization", arXiv:2410.06293, algorithm 1: after round t the policy goes
// on along its last movement, and that is the next reference. In the space of weights; for a softmax over a table those
// are the logits, where it is exact.
void extrapolate(Tensor& theta, Tensor& before, double momentum) {
  const Tensor here = theta.detach().clone();
  theta.add_(here - before, momentum);
  before.copy_(here);
}

FrozenUse frozen_use(const RunSettings& settings, const Needs& needs, std::string_view role) {
  const bool reference = role == "reference";
  const bool live = settings.reference.mode == ReferenceMode::live;
  const bool moves = reference && (live || settings.reference.every > 0 || rounds_of(settings.objective).count > 1);
  if (needs.only_sums() && !moves) return FrozenUse::column;
  const bool without_adapter = settings.model.adapter && settings.reference.model.empty() && !moves;
  return reference && (live || without_adapter) ? FrozenUse::policy : FrozenUse::copy;
}

Reference::Reference(LanguageModel& policy, const ReferenceSettings& settings, const Rounds& rounds, std::int64_t steps)
    : policy_(policy), settings_(settings), live_(settings.mode == ReferenceMode::live) {
  const bool in_rounds = rounds.count > 1;
  every_ = in_rounds ? (steps + rounds.count - 1) / rounds.count : settings.every;
  momentum_ = in_rounds ? rounds.momentum : 0;
  if (in_rounds) settings_.mix = 1;
  if (momentum_ > 0 && policy.adapter() != nullptr) {
    throw ConfigError({.field = "model.adapter"}, "an adapter under momentum in the weights",
                      "full weights: the factors of an adapter do not extrapolate as the weights do");
  }
  if (live_) {
    model_ = {std::shared_ptr<void>(), &policy_};  // scored without gradient: always where the policy is
    return;
  }
  if (!settings.model.empty()) {
    own_ = shared(LanguageModel::load(settings.model, {.dtype = policy.dtype(), .device = policy.device()}));
    if (own_->parameters().flat().sizes() != policy.parameters().flat().sizes()) {
      throw ConfigError({.field = "reference.model"}, "a model of another shape than the policy", "one of the same");
    }
  } else if (policy.adapter() == nullptr || every_ > 0) {
    own_ = shared(policy.frozen_copy());
  }
  model_ = own_;
  const at::AutoGradMode no_gradient(false);
  if (settings.bema) {
    start_ = own_->parameters().flat().clone();
    average_ = start_.clone();
  }
  if (momentum_ > 0) before_ = own_->parameters().flat().clone();
}

Tensor Reference::policy_weights() const {
  if (policy_.adapter() == nullptr) return policy_.parameters().flat().detach();
  return policy_.merged_copy().parameters().flat();
}

// Block and Zhang 2025, "EMA Without the Lag: Bias-Corrected Iterate Averaging", arXiv:2508.00180, algorithm 1: with
// beta_t = (lag + t)^-0.5 and alpha_t = (lag + t)^-0.2,
//   average <- (1 - beta_t) average + beta_t theta,   reference = average + alpha_t (theta - theta_0).
void Reference::follow_average(std::int64_t step) {
  const double age = settings_.bema->lag + static_cast<double>(step);
  const Tensor theta = policy_weights();
  average_.lerp_(theta, std::pow(age, -settings_.bema->ema_power));
  own_->parameters().flat().copy_(average_).add_(theta - start_, std::pow(age, -settings_.bema->bias_power));
}

bool Reference::after_step(std::int64_t step) {
  if (every_ == 0 || step % every_ != 0) return false;
  const at::AutoGradMode no_gradient(false);
  if (settings_.bema) {
    follow_average(step);
    return true;
  }
  if (momentum_ > 0) {
    Tensor theta = policy_.parameters().flat().detach();
    extrapolate(theta, before_, momentum_);
  }
  own_->parameters().flat().lerp_(policy_weights(), settings_.mix);
  return true;
}

std::vector<NamedTensor> Reference::state() const {
  std::vector<NamedTensor> tensors;
  if (every_ == 0) return tensors;
  tensors.push_back({"reference/weights", own_->parameters().flat()});
  if (average_.defined()) tensors.push_back({"reference/average", average_});
  if (start_.defined()) tensors.push_back({"reference/start", start_});
  if (before_.defined()) tensors.push_back({"reference/before", before_});
  return tensors;
}

}  // namespace attune
