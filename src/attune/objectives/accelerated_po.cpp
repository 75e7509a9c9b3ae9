// Accelerated Preference Optimization: any offline objective in rounds, with momentum between them.
#include "attune/base/errors.h"
#include "attune/objectives/modifier.h"

namespace attune::objectives {

class AcceleratedPo final : public Modifier {
  int rounds_ = 3;
  double momentum_ = 0.3;

 public:
  void describe(Fields& fields) {
    fields("objective", objective_, "what each round minimises, with the policy at its start as the reference");
    fields("rounds", rounds_, "equal parts that the run is cut into").at_least(1);
    fields("momentum", momentum_, "how far the policy goes on along a round's movement; 0: plain iteration")
        .within(0, 0.999);
  }

  void check() const override {
    objective_->check();
    if (objective_->rounds().count > 1) {
      throw ConfigError({.field = "objective"}, "an objective that trains in rounds itself", "one that does not");
    }
  }

  // He et al. 2024, algorithm 1. The extrapolation is in the space of weights (train/reference.h); the paper's is in
  // the space of logits, which is the same for a table of logits and close for small steps of a network. Sampling can
  // take it there (generate/combined_decoder.h).
  Rounds rounds() const override { return {.count = rounds_, .momentum = momentum_}; }
};

ATTUNE_PART(Objective, accelerated_po, AcceleratedPo,
            .summary =
                "runs an offline objective in rounds, each against the last round's policy, with Nesterov's "
                "momentum between them",
            .formula =
                "theta_t+1 = that_t+1 + momentum (that_t+1 - that_t), that_t+1 = argmin of the objective with "
                "reference theta_t   (algorithm 1)",
            .paper = "He et al. 2024, Accelerated Preference Optimization, arXiv:2410.06293");

}  // namespace attune::objectives
