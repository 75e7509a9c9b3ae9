// Rationale-enriched preference learning: the reason for a preference is learned beside it.
#include <ATen/ops/index_select.h>

#include "attune/objectives/modifier.h"
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class RationalePreference final : public Modifier {
  double gamma_ = 0.1;
  Length length_ = Length::mean;

 public:
  void describe(Fields& fields) {
    describe_objective(fields);
    fields("gamma", gamma_, "weight of the reason's likelihood; 0 is the objective alone").at_least(0);
    fields("length", length_, "mean: the likelihood a token; sum: of a whole reason. The paper does not say which");
  }

  Needs needs() const override {
    Needs needs = Modifier::needs();
    needs.rationales = gamma_ > 0;
    return needs;
  }
  std::string data() const override { return gamma_ > 0 ? "comparisons with a written reason" : Modifier::data(); }

  void layout(const RecordView& record, Layout& layout) const override {
    bool reasons = gamma_ == 0;
    for (const auto& preference : record.preferences) {
      if (gamma_ == 0 || preference.rationale < 0) continue;
      layout.add(record, preference.rationale, ResponseRole::rationale);
      reasons = true;
    }
    if (reasons) Modifier::layout(record, layout);
  }

  // Just et al. 2024: the pair's loss - gamma log pi(reason | question, answers, which one is preferred).
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress& progress) const override {
    Loss loss = Modifier::compute(responses, statistics, progress);
    if (gamma_ == 0) return loss;
    const Tensor rows = responses.indices_of(ResponseRole::rationale);
    const Tensor nll = -responses.logps.index_select(0, rows).sum();
    loss.terms.push_back({.name = "rationale",
                          .sum = nll,
                          .per = length_ == Length::mean ? Per::token : Per::response,
                          .role = ResponseRole::rationale,
                          .weight = gamma_});
    loss.metrics.add("rationale_nll", nll, responses.lengths.index_select(0, rows).sum());
    return loss;
  }
};

ATTUNE_PART(Objective, rationale_preference, RationalePreference,
            .summary = "adds the likelihood of the written reason for each preference to an objective on pairs",
            .formula = "l(c, r) - gamma log pi(reason | prompt, c, r, which is preferred)",
            .paper = "Just et al. 2024, Data-Centric Human Preference Optimization with Rationales, arXiv:2407.14477");

}  // namespace attune::objectives
