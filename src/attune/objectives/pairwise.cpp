#include "attune/objectives/pairwise.h"

#include <ATen/ops/clamp_max.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/where.h>

#include <tuple>

namespace attune::objectives {
namespace {

// exp() stays a finite float32 up to here; beyond, a score is flat.
constexpr double largest_exponent = 80;
// 1 - exp(x) is still distinguishable from 0 in float32 down to here.
constexpr double smallest_log_p = -1e-7;

Tensor bounded_exp(const Tensor& x) { return at::exp(at::clamp_max(x, largest_exponent)); }

}  // namespace

PairSides pair_sides(const Responses& responses) {
  const auto& [chosen, rejected] = std::tie(responses.pairs.chosen, responses.pairs.rejected);
  PairSides sides;
  sides.chosen = responses.logps.index_select(0, chosen);
  sides.rejected = responses.logps.index_select(0, rejected);
  sides.chosen_length = responses.lengths.index_select(0, chosen);
  sides.rejected_length = responses.lengths.index_select(0, rejected);
  return sides;
}

PairSides pair_sides(const Responses& responses, const char* reference) {
  PairSides sides = pair_sides(responses);
  const Tensor& logps = responses.model(reference).logps;
  sides.chosen_reference = logps.index_select(0, responses.pairs.chosen);
  sides.rejected_reference = logps.index_select(0, responses.pairs.rejected);
  return sides;
}

void add_pair_metrics(Metrics& metrics, const PairSides& sides, const Tensor& chosen_reward,
                      const Tensor& rejected_reward) {
  const auto pairs = static_cast<double>(sides.chosen.size(0));
  const auto add = [&](const char* name, const Tensor& values) { metrics.add(name, values.sum(), pairs); };
  const Tensor margin = (chosen_reward - rejected_reward).detach();
  add("rewards/chosen", chosen_reward);
  add("rewards/rejected", rejected_reward);
  add("rewards/margins", margin);
  // A tie is half right: a policy that equals its reference scores 0.5, not 0.
  add("rewards/accuracies", (margin > 0).to(margin.scalar_type()) + 0.5 * (margin == 0).to(margin.scalar_type()));
  add("logps/chosen", sides.chosen);
  add("logps/rejected", sides.rejected);
  add("rankings/accuracies", (sides.chosen >= sides.rejected).to(margin.scalar_type()));
  if (!sides.chosen_reference.defined()) return;
  add("logps/chosen_fell", (sides.chosen < sides.chosen_reference).to(margin.scalar_type()));
  add("field/log_ratios", sides.rejected_log_ratio() - sides.chosen_log_ratio());
}

Tensor logistic(const Tensor& x) { return -at::log_sigmoid(x); }
Tensor logistic(const Tensor& x, const Tensor& p) { return p * logistic(x) + (1 - p) * logistic(-x); }
Tensor hinge(const Tensor& x) { return at::relu(1 - x); }
Tensor squared(const Tensor& x) { return x * x; }

Tensor bernoulli_kl(const Tensor& a, const Tensor& b) {
  return at::sigmoid(a) * (at::log_sigmoid(a) - at::log_sigmoid(b)) +
         at::sigmoid(-a) * (at::log_sigmoid(-a) - at::log_sigmoid(-b));
}

Tensor log_one_minus(const Tensor& log_p) {
  const Tensor x = at::clamp_max(log_p, smallest_log_p);
  // Each form where it is exact; the other one is kept away from its singularity, or its gradient would be NaN.
  const Tensor near_one = x > -0.6931471805599453;
  return at::where(near_one, (-at::where(near_one, x, -1).expm1()).log(),
                   (-at::exp(at::where(near_one, -1, x))).log1p());
}

Tensor log_odds(const Tensor& log_p) { return at::clamp_max(log_p, smallest_log_p) - log_one_minus(log_p); }

Tensor divergence_score(Divergence divergence, double alpha, const Tensor& log_ratio) {
  // Near 1 the alpha divergence is the reverse one.
  if (divergence == Divergence::alpha_divergence && std::abs(alpha - 1) < 1e-6) return log_ratio;
  switch (divergence) {
    case Divergence::reverse_kl:
      return log_ratio;
    case Divergence::forward_kl:
      return 1 - bounded_exp(-log_ratio);
    case Divergence::js_divergence:
      return at::log_sigmoid(log_ratio) + 0.6931471805599453;
    case Divergence::alpha_divergence:
      return (bounded_exp((alpha - 1) * log_ratio) - 1) / (alpha - 1);
  }
  return log_ratio;
}

Tensor expected(const PairScores& scores, const PairLink& link) {
  return scores.probability * link(scores.chosen, scores.rejected) +
         (1 - scores.probability) * link(scores.rejected, scores.chosen);
}

void add_nll(Loss& loss, const Responses& responses, ResponseRole role, double weight) {
  const Tensor rows = responses.indices_of(role);
  const Tensor nll = -responses.logps.index_select(0, rows).sum();
  loss.metrics.add("nll_loss", nll, responses.lengths.index_select(0, rows).sum());
  loss.terms.push_back({.name = "nll", .sum = nll, .per = Per::token, .role = role, .weight = weight});
}

}  // namespace attune::objectives
