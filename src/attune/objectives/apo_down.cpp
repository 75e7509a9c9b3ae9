// Anchored preference optimisation for chosen answers that are worse than the model.
#include <ATen/ops/sigmoid.h>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class ApoDown final : public PairObjective {
 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_sides(fields);
  }

  // D'Oosterlinck et al. 2024, eq. 8.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("apo_down", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      return at::sigmoid(beta() * chosen) + at::sigmoid(-beta() * (chosen - rejected));
    });
  }
};

ATTUNE_PART(Objective, apo_down, ApoDown, .summary = "lowers both answers, the rejected one more",
            .formula = "sigmoid(beta u_c) + 1 - sigmoid(beta (u_c - u_r))   (eq. 8),  u = log pi - log ref",
            .paper = "D'Oosterlinck et al. 2024, Anchored Preference Optimization, arXiv:2408.06266");

}  // namespace attune::objectives
