// Exploratory preference optimisation, the loss: an objective on pairs plus an optimism bonus on the reference's
// samples.
#include <ATen/ops/index_select.h>

#include "attune/objectives/modifier.h"
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Xpo final : public Modifier {
  double alpha_ = 1e-5;

 public:
  void describe(Fields& fields) {
    describe_objective(fields);
    fields("alpha", alpha_, "strength of the bonus; 0 is the objective alone").at_least(0);
  }

  std::string data() const override { return Modifier::data() + ", and samples of the reference beside them"; }

  // Samples of the reference are the completions that nobody judged.
  void layout(const RecordView& record, Layout& layout) const override {
    Modifier::layout(record, layout);
    if (alpha_ == 0) return;
    for (const std::int32_t sample : samples_of(record)) layout.add(record, sample, ResponseRole::self_sample);
  }

  // Xie et al. 2024, algorithm 1: alpha log pi(sample) + l(c, r): likelihood leaves what the reference already covers.
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress& progress) const override {
    Loss loss = Modifier::compute(responses, statistics, progress);
    if (alpha_ == 0) return loss;
    const Tensor rows = responses.indices_of(ResponseRole::self_sample);
    const Tensor bonus = responses.logps.index_select(0, rows).sum();
    loss.terms.push_back(
        {.name = "bonus", .sum = bonus, .per = Per::response, .role = ResponseRole::self_sample, .weight = alpha_});
    loss.metrics.add("logps/samples", bonus, static_cast<double>(rows.size(0)));
    return loss;
  }
};

ATTUNE_PART(
    Objective, xpo, Xpo,
    .summary = "adds an exploration bonus to an objective on pairs: samples of the reference become less likely",
    .formula = "l(c, r) + alpha log pi(sample of the reference)   (algorithm 1)",
    .paper = "Xie et al. 2024, Exploratory Preference Optimization, arXiv:2405.21046");

}  // namespace attune::objectives
