// Length-regularised DPO: `dpo` with a `length_penalty`. The reward that DPO inverts is r - alpha |y|, so its implicit
// reward is beta u + alpha |y|; hence the sign of the term.
#include "attune/objectives/dpo.h"

namespace attune::objectives {

class RDpo final : public SigmoidPair {
 public:
  RDpo() : SigmoidPair({.length_penalty = 0.01}) {}
};

ATTUNE_PART(
    Objective, r_dpo, RDpo,
    .summary = "DPO under a reward that charges for length, so that preferences which length explains teach less",
    .formula = "-log sigmoid(beta (u_c - u_r) + length_penalty (|c| - |r|)),  u = log pi - log ref",
    .paper = "Park et al. 2024, Disentangling Length from Quality in Direct Preference Optimization, arXiv:2403.19159");

}  // namespace attune::objectives
