// DPO on scores averaged per token: `dpo` with `length: mean`.
#include "attune/objectives/dpo.h"

namespace attune::objectives {

class SigmoidNorm final : public SigmoidPair {
 public:
  SigmoidNorm() : SigmoidPair({.length = Length::mean}) {}
};

ATTUNE_PART(Objective, sigmoid_norm, SigmoidNorm,
            .summary = "DPO on log-ratios averaged per token, also known as length-normalised DPO (dpo_norm)",
            .formula = "-log sigmoid(beta ((log pi(c) - log ref(c)) / |c| - (log pi(r) - log ref(r)) / |r|))",
            .paper = "Lambert et al. 2024, Tulu 3, arXiv:2411.15124");

}  // namespace attune::objectives
