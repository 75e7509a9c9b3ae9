// SimPO: the mean log-probability of a token as reward, and a margin. TRL's defaults: beta 0.1, gamma 0.5, and the
// likelihood of the chosen answer with weight 1 unless cpo_alpha is 0.
#include "attune/objectives/reference_free.h"

namespace attune::objectives {

class Simpo final : public LengthNormalisedPair {
 public:
  Simpo() : LengthNormalisedPair(2.0, 0, 0.5) {}

  void describe(Fields& fields) {
    describe_free(fields);
    describe_margin(fields);
  }

  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return shaped_loss("simpo", responses);
  }
};

ATTUNE_PART(
    Objective, simpo, Simpo,
    .summary = "separates the answers' mean log-probabilities by a margin, without a reference",
    .formula = "-log sigmoid(beta log pi(c) / |c| - beta log pi(r) / |r| - gamma)   (eq. 6)",
    .paper = "Meng et al. 2024, SimPO: Simple Preference Optimization with a Reference-Free Reward, arXiv:2405.14734");

}  // namespace attune::objectives
