// Direct Preference Optimization.
#include <ATen/ops/log_sigmoid.h>

#include "attune/objectives/objective.h"
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Dpo final : public Objective {
  double beta_ = 0.1;
  double label_smoothing_ = 0;

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "strength of the pull to the reference").above(0);
    fields("label_smoothing", label_smoothing_, "share of labels believed to be flipped (cDPO)").within(0, 0.499);
  }

  Needs needs() const override { return {.models = {"reference"}}; }

  // Rafailov et al. 2023, eq. 7, with the conservative labels of Mitchell 2023, eq. 5:
  //   -(1 - e) log sigmoid(beta d) - e log sigmoid(-beta d),  d = log-ratio of the chosen - log-ratio of the rejected.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const PairSides sides = pair_sides(responses, "reference");
    const Tensor chosen_reward = beta_ * sides.chosen_log_ratio();
    const Tensor rejected_reward = beta_ * sides.rejected_log_ratio();
    const Tensor margin = chosen_reward - rejected_reward;
    Tensor values = -(1 - label_smoothing_) * at::log_sigmoid(margin);
    if (label_smoothing_ > 0) values = values - label_smoothing_ * at::log_sigmoid(-margin);
    Loss loss;
    loss.terms.push_back({.name = "dpo", .sum = (responses.pairs.weight * values).sum(), .per = Per::pair});
    add_pair_metrics(loss.metrics, sides, chosen_reward, rejected_reward);
    return loss;
  }
};

ATTUNE_PART(Objective, dpo, Dpo,
            .summary = "raises the odds of the chosen answer over the rejected one, relative to a frozen reference",
            .formula = "-log sigmoid(beta ((log pi(c) - log ref(c)) - (log pi(r) - log ref(r))))   (eq. 7)",
            .paper = "Rafailov et al. 2023, Direct Preference Optimization, arXiv:2305.18290");

}  // namespace attune::objectives
