// SLiC-HF calibration on the implicit reward, also known as RSO-hinge.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Hinge final : public PairObjective {
 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_difference(fields);
  }

  // Liu et al. 2023, Statistical Rejection Sampling, arXiv:2309.06657: max(0, 1 - beta (s_c - s_r)).
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("hinge", responses,
                [this](const Tensor& chosen, const Tensor& rejected) { return hinge(beta() * (chosen - rejected)); });
  }
};

ATTUNE_PART(Objective, hinge, Hinge,
            .summary = "stops pulling a pair apart once the implicit reward separates it by one",
            .formula = "max(0, 1 - beta (u_c - u_r)),  u = log pi - log ref",
            .paper = "Zhao et al. 2023, SLiC-HF, arXiv:2305.10425; Liu et al. 2023, RSO, arXiv:2309.06657");

}  // namespace attune::objectives
