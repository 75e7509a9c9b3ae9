// Alignment by optimal transport without pairing: chosen answers as a whole are to dominate rejected ones.
#include "attune/objectives/pairwise.h"
#include "attune/objectives/transport.h"

namespace attune::objectives {

class AotUnpaired final : public PairObjective {
 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    describe_smoothing(fields);
  }

  Needs needs() const override { return {.models = {"reference"}, .statistics = true}; }

  // All log-ratios of the optimiser step (TRL sorts inside each micro-batch), and the weights of the chosen ones.
  Statistics gather(const Responses& responses) const override {
    const PairSides sides = pair_sides(responses, "reference");
    return {.columns = {{"chosen", sides.chosen_log_ratio().detach()},
                        {"rejected", sides.rejected_log_ratio().detach()},
                        {"weight", responses.pairs.weight}}};
  }

  // Melnyk et al. 2024, unpaired form: -log sigmoid(beta (u_(i) - v_(i))), u and v sorted over the step. Each side is
  // coupled with the other side's numbers, which are constants here; the second sum repeats the value of the first, so
  // only its gradient is kept. Votes play no part: they are about pairs, and here are none.
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress&) const override {
    const PairScores s = scores(responses);
    const auto& columns = statistics.columns;
    const auto [u, by_u] = columns.at("chosen").sort();
    const Tensor v = std::get<0>(columns.at("rejected").sort());
    const Tensor weight = columns.at("weight").index_select(0, by_u);
    const Tensor chosen = (coupling(s.chosen, u) * value(s.chosen.unsqueeze(1) - v)).sum(1);
    const Tensor rejected = (coupling(s.rejected, v) * weight * value(u - s.rejected.unsqueeze(1))).sum(1);
    Loss result = loss("aot_unpaired", s, chosen);
    result.terms[0].sum = result.terms[0].sum + (rejected - rejected.detach()).sum();
    return result;
  }

 private:
  Tensor value(const Tensor& difference) const {
    const Tensor x = beta() * difference;
    return (1 - options_.label_smoothing) * logistic(x) + options_.label_smoothing * logistic(-x);
  }
};

ATTUNE_PART(
    Objective, aot_unpaired, AotUnpaired,
    .summary = "makes the sorted log-ratios of chosen answers exceed those of rejected ones, rank by rank",
    .formula =
        "-log sigmoid(beta (u_(i) - v_(i))),  u of chosen and v of rejected answers, log pi - log ref, sorted over the "
        "step",
    .paper = "Melnyk et al. 2024, Distributional Preference Alignment of LLMs via Optimal Transport, arXiv:2406.05882");

}  // namespace attune::objectives
