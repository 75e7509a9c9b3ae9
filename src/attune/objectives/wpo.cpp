// DPO whose pairs count as much as the policy would have written them: `dpo` with `weighting: wpo`.
#include "attune/objectives/dpo.h"

namespace attune::objectives {

class Wpo final : public SigmoidPair {
 public:
  Wpo() : SigmoidPair({.weighting = Weighting::wpo}) {}
};

ATTUNE_PART(Objective, wpo, Wpo,
            .summary = "DPO that makes off-policy pairs look on-policy by weighting each with its likelihood",
            .formula = "w(c) w(r) dpo, w = exp(mean_t (log pi(y_t) - log sum_v pi(v)^2)) without gradient   (eq. 2)",
            .paper = "Zhou et al. 2024, WPO: Enhancing RLHF with Weighted Preference Optimization, arXiv:2406.11827");

}  // namespace attune::objectives
