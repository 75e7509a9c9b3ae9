// Noise contrastive alignment of two answers.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Nca final : public PairObjective {
 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_sides(fields);
  }

  // Chen et al. 2024, with K = 2 (nca_pair in TRL): both answers are noise for each other, the chosen one
  // is data besides.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("nca", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      return logistic(beta() * chosen) + 0.5 * logistic(-beta() * chosen) + 0.5 * logistic(-beta() * rejected);
    });
  }
};

ATTUNE_PART(
    Objective, nca, Nca,
    .summary = "raises the likelihood of the chosen answer in absolute terms, not only relative to the rejected one",
    .formula =
        "-log sigmoid(beta u_c) - 1/2 log sigmoid(-beta u_c) - 1/2 log sigmoid(-beta u_r),  u = log pi - log ref",
    .paper =
        "Chen et al. 2024, Noise Contrastive Alignment of Language Models with Explicit Rewards, arXiv:2402.05369");

}  // namespace attune::objectives
