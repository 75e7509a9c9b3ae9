// Binary classifier optimisation on pairs, without a reward shift; bco learns from single thumbs with one.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class BcoPair final : public PairObjective {
 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_sides(fields);
  }

  // Jung et al. 2024, with a shift of 0.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("bco_pair", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      return logistic(beta() * chosen) + logistic(-beta() * rejected);
    });
  }
};

ATTUNE_PART(
    Objective, bco_pair, BcoPair,
    .summary = "classifies the chosen answer as good and the rejected one as bad, each by itself",
    .formula = "-log sigmoid(beta u_c) - log sigmoid(-beta u_r),  u = log pi - log ref",
    .paper = "Jung et al. 2024, Binary Classifier Optimization for Large Language Model Alignment, arXiv:2404.04656");

}  // namespace attune::objectives
