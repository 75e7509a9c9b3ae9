// Anchored preference optimisation for chosen answers that are better than the model.
#include <ATen/ops/sigmoid.h>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class ApoZero final : public PairObjective {
 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_sides(fields);
  }

  // D'Oosterlinck et al. 2024, eq. 7.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("apo_zero", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      return at::sigmoid(-beta() * chosen) + at::sigmoid(beta() * rejected);
    });
  }
};

ATTUNE_PART(Objective, apo_zero, ApoZero,
            .summary = "raises the chosen answer and lowers the rejected one, each against the reference",
            .formula = "1 - sigmoid(beta u_c) + sigmoid(beta u_r)   (eq. 7),  u = log pi - log ref",
            .paper = "D'Oosterlinck et al. 2024, Anchored Preference Optimization, arXiv:2408.06266");

}  // namespace attune::objectives
