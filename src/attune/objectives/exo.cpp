// Efficient exact optimisation on pairs: the reverse KL from the policy's own choice to the label.
#include <ATen/ops/logit.h>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Exo final : public PairObjective {
 public:
  Exo() : PairObjective({.label_smoothing = 1e-3}) {}  // the paper's

  void describe(Fields& fields) {
    describe_beta(fields);
    describe_difference(fields);
  }

  // A certain label has an infinite reverse KL.
  void check() const override {
    if (options_.label_smoothing > 0) return;
    throw ConfigError({.field = "label_smoothing"}, "0", "above 0 for exo", "take 0.001, as its paper does");
  }

  // Ji et al. 2024, eq. 16: KL(Bernoulli(sigmoid(beta (s_c - s_r))) || Bernoulli(p)), p = 1 - label_smoothing or the
  // share of votes.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const PairScores s = scores(responses);
    return loss("exo", s, bernoulli_kl(beta() * (s.chosen - s.rejected), at::logit(s.probability)));
  }
};

ATTUNE_PART(
    Objective, exo, Exo,
    .summary = "matches the policy's choice between the answers to the label by reverse KL, also known as exo_pair",
    .formula =
        "KL(Bernoulli(sigmoid(beta (u_c - u_r))) || Bernoulli(1 - label_smoothing))   (eq. 16),  u = log pi - log ref",
    .paper = "Ji et al. 2024, Towards Efficient Exact Optimization of Language Model Alignment, arXiv:2402.00856");

}  // namespace attune::objectives
