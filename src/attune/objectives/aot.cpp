// Alignment by optimal transport: the distribution of the policy's log-ratios is to dominate the reference's.
#include "attune/objectives/pairwise.h"
#include "attune/objectives/transport.h"

namespace attune::objectives {

class Aot final : public PairObjective {
 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_smoothing(fields);
  }

  Needs needs() const override { return {.models = {"reference"}, .statistics = true}; }

  // Both samples of the whole optimiser step. TRL sorts inside each micro-batch, so that its loss depends on how a step
  // is cut; with one micro-batch a step both are the same.
  Statistics gather(const Responses& responses) const override {
    const PairSides sides = pair_sides(responses, "reference");
    return {.columns = {{"policy", (sides.chosen - sides.rejected).detach()},
                        {"reference", sides.chosen_reference - sides.rejected_reference}}};
  }

  // Melnyk et al. 2024, paired form: a = log pi(c) - log pi(r) and b = log ref(c) - log ref(r), sorted over the step,
  // -log sigmoid(beta (a_(i) - b_(i))).
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress&) const override {
    const PairScores s = scores(responses);
    const Tensor a = s.sides.chosen - s.sides.rejected;
    const Tensor b = std::get<0>(statistics.columns.at("reference").sort());
    const Tensor x = beta() * (a.unsqueeze(1) - b.unsqueeze(0)), p = s.probability.unsqueeze(1);
    const Tensor values = logistic(x, p);
    return loss("aot", s, (coupling(a, statistics.columns.at("policy")) * values).sum(1));
  }
};

ATTUNE_PART(
    Objective, aot, Aot,
    .summary = "makes the sorted log-ratios of the policy exceed those of the reference, rank by rank",
    .formula =
        "-log sigmoid(beta (a_(i) - b_(i))),  a = log pi(c) - log pi(r),  b = log ref(c) - log ref(r),  sorted over "
        "the step",
    .paper = "Melnyk et al. 2024, Distributional Preference Alignment of LLMs via Optimal Transport, arXiv:2406.05882");

}  // namespace attune::objectives
