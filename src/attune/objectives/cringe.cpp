// The Cringe Loss: contrastive penalties on what a bad answer says, likelihood on what a good one says.
#include <ATen/ops/index_select.h>

#include "attune/objectives/cringe_penalty.h"
#include "attune/objectives/unpaired.h"

namespace attune::objectives {

class Cringe final : public Objective {
  double alpha_ = 1;
  CringePenalty penalty_ = {};

 public:
  // The defaults are those of the authors' code: k 1, alpha 1, gradients through the positives.
  void describe(Fields& fields) {
    fields("alpha", alpha_, "weight of the penalty").above(0);
    penalty_.describe(fields);
  }

  Needs needs() const override { return {.vocabulary = {penalty_.logits()}, .tokens = true}; }
  std::string data() const override { return opinions_data; }
  void layout(const RecordView& record, Layout& layout) const override { lay_out_opinions(record, layout); }

  // Adolphs et al. 2022, by token: NLL of good answers + alpha penalty of bad ones, over all tokens of both.
  Loss compute(const Responses& responses, const Statistics&, const Progress& progress) const override {
    const auto good = answers(responses, ResponseRole::chosen), bad = answers(responses, ResponseRole::rejected);
    const Tensor penalty =
        penalty_.of_responses(responses, progress).index_select(0, responses.indices_of(ResponseRole::rejected));
    Loss loss;
    loss.terms.push_back(
        {.name = "nll", .sum = -(good.weight * good.logps).sum(), .per = Per::token, .role = good_and_bad});
    loss.terms.push_back({.name = "cringe",
                          .sum = (bad.weight * penalty).sum(),
                          .per = Per::token,
                          .role = good_and_bad,
                          .weight = alpha_});
    if (good.size() > 0) loss.metrics.add("logps/chosen", good.logps.sum(), static_cast<double>(good.size()));
    if (bad.size() > 0) loss.metrics.add("logps/rejected", bad.logps.sum(), static_cast<double>(bad.size()));
    return loss;
  }
};

ATTUNE_PART(Objective, cringe, Cringe,
            .summary = "learns good answers and sets every token of bad ones against one the model prefers",
            .formula =
                "good: -log pi(y_t); bad: -alpha log(exp(s+) / (exp(s+) + exp(s-))), s+ drawn from the top k other "
                "logits; per token",
            .paper = "Adolphs et al. 2022, The CRINGE Loss: Learning what language not to model, arXiv:2211.05826");

}  // namespace attune::objectives
