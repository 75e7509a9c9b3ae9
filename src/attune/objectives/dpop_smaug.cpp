// DPO-Positive, of the Smaug models: DPO that may not lower the chosen answer below the reference.
#include <ATen/ops/relu.h>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class DpopSmaug final : public PairObjective {
  double lambda_ = 50;

 public:
  DpopSmaug() : PairObjective({.beta = 0.3}) {}

  void describe(Fields& fields) {
    describe_beta(fields);
    fields("lambda", lambda_, "strength of the penalty on lost likelihood; 0 is dpo, 5 to 500 do about the same")
        .at_least(0);
    describe_smoothing(fields);
    describe_sides(fields);
  }

  // Pal et al. 2024: -log sigmoid(beta (u_c - u_r - lambda max(0, -u_c))).
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("dpop", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      return logistic(beta() * (chosen - rejected - lambda_ * at::relu(-chosen)));
    });
  }
};

ATTUNE_PART(
    Objective, dpop_smaug, DpopSmaug,
    .summary =
        "DPO with a penalty inside the sigmoid when the chosen answer becomes less likely than under the reference",
    .formula = "-log sigmoid(beta (u_c - u_r - lambda max(0, -u_c))),  u = log pi - log ref",
    .paper =
        "Pal et al. 2024, Smaug: Fixing Failure Modes of Preference Optimisation with DPO-Positive, arXiv:2402.13228");

}  // namespace attune::objectives
