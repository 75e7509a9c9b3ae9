// Robust DPO: unbiased under labels that are flipped at a known rate.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Robust final : public PairObjective {
  double flip_rate_ = 0.1;

 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_sides(fields);
    describe_score(fields);
    fields("label_smoothing", flip_rate_, "share of labels believed to be flipped; TRL: 0, which is dpo")
        .within(0, 0.499);
  }

  // Chowdhury et al. 2024, l = -log sigmoid(beta d): ((1 - e) l(d) - e l(-d)) / (1 - 2 e).
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("robust", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      const Tensor x = beta() * (chosen - rejected);
      return ((1 - flip_rate_) * logistic(x) - flip_rate_ * logistic(-x)) / (1 - 2 * flip_rate_);
    });
  }
};

ATTUNE_PART(
    Objective, robust, Robust,
    .summary = "the DPO loss of the clean labels, in expectation, from labels flipped at a known rate",
    .formula =
        "((1 - e) l(d) - e l(-d)) / (1 - 2 e),  l(d) = -log sigmoid(beta d),  d = u_c - u_r,  u = log pi - log ref",
    .paper = "Chowdhury et al. 2024, Provably Robust DPO, arXiv:2403.00409");

}  // namespace attune::objectives
