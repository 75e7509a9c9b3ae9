// The sigmoid loss of DPO. Several published methods are one choice of its options and have a file of their own that
// says which.
#pragma once

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class SigmoidPair : public PairObjective {
 public:
  explicit SigmoidPair(PairOptions options = {}) : PairObjective(options) {}

  void describe(Fields& fields) {
    describe_beta(fields);
    describe_difference(fields);
  }

  // Rafailov et al. 2023, eq. 7: -log sigmoid(beta (s_c - s_r)).
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("dpo", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      return logistic(beta() * (chosen - rejected));
    });
  }
};

}  // namespace attune::objectives
