// Identity preference optimisation, with its two readings of a log-ratio as a named option.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Ipo final : public PairObjective {
 public:
  // Per token, as TRL does and as its authors confirm for the numbers of the paper; NeMo-Aligner and OpenRLHF sum.
  Ipo() : PairObjective({.length = Length::mean}) {}

  void describe(Fields& fields) {
    describe_beta(fields, "the paper's tau: the score difference is pulled to 1 / (2 beta)");
    describe_difference(fields);
  }

  // Azar et al. 2023, eq. 17: (s_c - s_r - 1 / (2 beta))^2.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("ipo", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      return squared(chosen - rejected - 0.5 / beta());
    });
  }
};

ATTUNE_PART(
    Objective, ipo, Ipo, .summary = "pulls the difference of log-ratios to a fixed gap, so that it cannot run away",
    .formula = "(u_c / |c| - u_r / |r| - 1 / (2 beta))^2   (eq. 17),  u = log pi - log ref; length: sum leaves |.| out",
    .paper =
        "Azar et al. 2023, A General Theoretical Paradigm to Understand Learning from Human Preferences, "
        "arXiv:2310.12036");

}  // namespace attune::objectives
