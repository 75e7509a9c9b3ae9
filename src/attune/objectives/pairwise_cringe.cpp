// The Pairwise Cringe Loss.
#include <ATen/ops/index_select.h>
#include <ATen/ops/sigmoid.h>

#include "attune/objectives/cringe_penalty.h"
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class PairwiseCringe final : public Objective {
  double alpha_ = 1;
  double b_ = 0;
  double tau_ = 10;
  bool detach_gate_ = true;
  CringePenalty penalty_ = {};

 public:
  // The paper's settings of the gate could not be found. Chosen here: b 0, so that a pair that the model already orders
  // right counts less than half, and tau 10, since margins of whole answers are tens of nats; a gate without gradient,
  // so that it weighs pairs and is not itself something to be lowered.
  void describe(Fields& fields) {
    fields("alpha", alpha_, "weight of the penalty of the rejected answer").above(0);
    fields("b", b_, "margin, in nats, above which a pair fades out");
    fields("tau", tau_, "how softly it does, in nats").above(0);
    fields("detach_gate", detach_gate_, "no gradient through the gate");
    penalty_.describe(fields);
  }

  Needs needs() const override { return {.vocabulary = {penalty_.logits()}, .tokens = true}; }

  // Xu et al. 2023: g (NLL(chosen) + alpha penalty(rejected)), g = sigmoid((b - M) / tau), M = log
  // pi(chosen)
  // - log pi(rejected).
  Loss compute(const Responses& responses, const Statistics&, const Progress& progress) const override {
    const PairSides sides = pair_sides(responses);
    const Tensor penalty = penalty_.of_responses(responses, progress).index_select(0, responses.pairs.rejected);
    const Tensor gate = at::sigmoid((b_ - (sides.chosen - sides.rejected)) / tau_);
    const Tensor values = (detach_gate_ ? gate.detach() : gate) * (alpha_ * penalty - sides.chosen);
    Loss loss;
    loss.terms.push_back({.name = "pairwise-cringe", .sum = (responses.pairs.weight * values).sum(), .per = Per::pair});
    add_pair_metrics(loss.metrics, sides, sides.chosen, sides.rejected);
    loss.metrics.add("gate", gate.sum(), static_cast<double>(gate.size(0)));
    return loss;
  }
};

ATTUNE_PART(Objective, pairwise_cringe, PairwiseCringe,
            .summary =
                "the cringe loss on pairs, faded out where the model already prefers the chosen answer; also known "
                "as PCO when iterated",
            .formula =
                "sigmoid((b - M) / tau) (-log pi(c) + alpha sum_t -log(exp(s+) / (exp(s+) + exp(s-)))), M = log "
                "pi(c) - log pi(r)",
            .paper =
                "Xu et al. 2023, Some things are more CRINGE than others: Preference Optimization with the Pairwise "
                "Cringe Loss, arXiv:2312.16682");

}  // namespace attune::objectives
