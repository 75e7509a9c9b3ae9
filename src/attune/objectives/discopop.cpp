// DiscoPOP: the log-ratio modulated loss that a language model discovered.
#include <ATen/ops/exp.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/sigmoid.h>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Discopop final : public PairObjective {
  double tau_ = 0.05;

 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    fields("tau", tau_, "temperature of the blend (discopop_tau)").between(0, 1);
    describe_difference(fields);
  }

  // Lu et al. 2024, eq. 5, x = beta d, m = sigmoid(x / tau): (1 - m) (-log sigmoid(x)) + m exp(-x). The second product
  // is taken in logarithms: for very negative x its factors are 0 and infinite.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss("discopop", responses, [this](const Tensor& chosen, const Tensor& rejected) {
      const Tensor x = beta() * (chosen - rejected);
      return at::sigmoid(-x / tau_) * logistic(x) + at::exp(at::log_sigmoid(x / tau_) - x);
    });
  }
};

ATTUNE_PART(Objective, discopop, Discopop,
            .summary = "blends the logistic and the exponential loss by how well the pair is already separated",
            .formula = "(1 - m) (-log sigmoid(x)) + m exp(-x)   (eq. 5),  x = beta (u_c - u_r),  m = sigmoid(x / tau)",
            .paper =
                "Lu et al. 2024, Discovering Preference Optimization Algorithms with and for Large Language Models, "
                "arXiv:2406.08414");

}  // namespace attune::objectives
