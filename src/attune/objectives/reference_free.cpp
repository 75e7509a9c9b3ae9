#include "attune/objectives/reference_free.h"

#include <ATen/ops/clamp_max.h>
#include <ATen/ops/expm1.h>

namespace attune::objectives {

Tensor link_value(Link link, double beta, const Tensor& x) {
  switch (link) {
    case Link::sigmoid:
      return logistic(beta * x);
    case Link::hinge:
      return hinge(beta * x);
    case Link::ipo:
      return squared(x - 0.5 / beta);
  }
  return x;
}

Loss ReferenceFreePair::loss_above(const char* name, const Responses& responses, PairScores scores, Link link,
                                   double offset, ResponseRole imitated) const {
  scores.chosen = scores.chosen - offset;
  Loss result = loss(name, scores, expected(scores, [&](const Tensor& chosen, const Tensor& rejected) {
                       return link_value(link, beta(), chosen - rejected);
                     }));
  if (sft_weight_ > 0) add_nll(result, responses, imitated, sft_weight_);
  return result;
}

void LengthNormalisedPair::describe_margin(Fields& fields) {
  fields("gamma", gamma_, "margin between the rewards (TRL's simpo_gamma); or give gamma_beta_ratio").at_least(0);
  fields("gamma_beta_ratio", gamma_beta_ratio_, "the margin in units of beta, as SimPO's recipes give it").at_least(0);
}

void LengthNormalisedPair::check() const {
  if (!gamma_ || !gamma_beta_ratio_) return;
  throw ConfigError({.field = "gamma"}, "both gamma and gamma_beta_ratio", "the margin in one of its two spellings",
                    "keep one of them: gamma = gamma_beta_ratio * beta");
}

// (1 - p^-alpha) / alpha with p the geometric mean probability of a token; log p in the limit alpha -> 0. The exponent
// is held below 80, where the reward of an answer that bad becomes flat.
Tensor LengthNormalisedPair::shaped(const Tensor& mean_log_p) const {
  if (alpha_ == 0) return mean_log_p;
  return -at::expm1(at::clamp_max(-alpha_ * mean_log_p, 80)) / alpha_;
}

Loss LengthNormalisedPair::shaped_loss(const char* name, const Responses& responses) const {
  PairScores s = scores(responses);
  s.chosen = shaped(s.chosen);
  s.rejected = shaped(s.rejected);
  s.chosen_reward = beta() * s.chosen;
  s.rejected_reward = beta() * s.rejected;
  const double offset = gamma_ ? *gamma_ / beta() : gamma_beta_ratio_.value_or(default_ratio_);
  return loss_above(name, responses, std::move(s), Link::sigmoid, offset);
}

}  // namespace attune::objectives
