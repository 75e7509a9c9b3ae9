// Self-play preference optimisation with certain winners and losers.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class SppoHard final : public PairObjective {
 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_sides(fields);
  }

  // Wu et al. 2024, eq. 4.7 with P = 1 for the winner and 0 for the loser; beta is 1 / eta.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("sppo_hard", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      return squared(chosen - 0.5 / beta()) + squared(rejected + 0.5 / beta());
    });
  }
};

ATTUNE_PART(Objective, sppo_hard, SppoHard,
            .summary = "moves the log-ratio of winners to 1 / (2 beta) and of losers to -1 / (2 beta)",
            .formula = "(u_c - 1 / (2 beta))^2 + (u_r + 1 / (2 beta))^2,  u = log pi - log ref",
            .paper = "Wu et al. 2024, Self-Play Preference Optimization, arXiv:2405.00675");

}  // namespace attune::objectives
