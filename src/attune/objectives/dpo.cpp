// Direct Preference Optimization. Labels: smoothing is cDPO's (Mitchell 2023, eq. 5), votes in the data are soft ones.
// Margins: Wang et al. 2024, HelpSteer2-Preference, arXiv:2410.01257, the offset and scaled forms of the pair loss on
// the implicit reward. TRL's `sigmoid` has the divergences, ld_alpha and WPO, but leaves label_smoothing out.
#include "attune/objectives/dpo.h"

namespace attune::objectives {

class Dpo final : public SigmoidPair {};

ATTUNE_PART(Objective, dpo, Dpo,
            .summary = "raises the odds of the chosen answer over the rejected one, relative to a frozen reference",
            .formula = "-log sigmoid(beta ((log pi(c) - log ref(c)) - (log pi(r) - log ref(r))))   (eq. 7)",
            .paper = "Rafailov et al. 2023, Direct Preference Optimization, arXiv:2305.18290");

}  // namespace attune::objectives
