// Length-desensitised DPO: `dpo` with `ld_alpha` below 1, for policy and reference alike, as in TRL.
#include "attune/objectives/dpo.h"

namespace attune::objectives {

class LdDpo final : public SigmoidPair {
 public:
  LdDpo() : SigmoidPair({.ld_alpha = 0.5}) {}
};

ATTUNE_PART(Objective, ld_dpo, LdDpo,
            .summary = "DPO that counts the tail of the longer answer less, beyond the length of the shorter one",
            .formula = "dpo on sum of log p(t) for t <= min(|c|, |r|), plus ld_alpha times the sum of the rest",
            .paper = "Liu et al. 2024, Length Desensitization in Direct Preference Optimization, arXiv:2409.06411");

}  // namespace attune::objectives
