// AlphaPO: SimPO with a bent reward. TRL computes p^-alpha from p itself; here it is expm1(-alpha log p), which neither
// underflows nor loses digits near alpha = 0.
#include "attune/objectives/reference_free.h"

namespace attune::objectives {

class Alphapo final : public LengthNormalisedPair {
 public:
  Alphapo() : LengthNormalisedPair(2.5, 0.25, 0.1) {}

  void describe(Fields& fields) {
    fields("alpha", alpha_, "shape: above 0 damps answers that are already likely, below 0 the others; 0 is simpo");
    describe_free(fields);
    describe_margin(fields);
  }

  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return shaped_loss("alphapo", responses);
  }
};

ATTUNE_PART(
    Objective, alphapo, Alphapo, .summary = "SimPO with a power of the probability as reward instead of its logarithm",
    .formula = "-log sigmoid(r(c) - r(r) - gamma),  r(y) = beta (1 - p(y)^-alpha) / alpha,  p(y) = pi(y)^(1/|y|)",
    .paper = "Gupta et al. 2025, AlphaPO: Reward Shape Matters for LLM Alignment, arXiv:2501.03884");

}  // namespace attune::objectives
