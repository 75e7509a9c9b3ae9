// SteerLM's attribute-conditioned fine-tuning.
#include <ATen/ops/index_select.h>

#include "attune/objectives/unpaired.h"

namespace attune::objectives {

class Steerlm final : public Objective {
 public:
  void describe(Fields&) {}

  Needs needs() const override { return {}; }
  std::string data() const override { return "answers of any quality; their ratings are put into the prompt"; }

  // All of them, good and bad: what an answer is like stands in its prompt, so nothing is filtered.
  void layout(const RecordView& record, Layout& layout) const override {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(record.scored_tokens.size()); ++i) {
      if (is_answer(record, i)) layout.add(record, i, ResponseRole::chosen);
    }
  }

  // Dong et al. 2023: -sum_t log pi(y_t | attributes, x, y_<t); neither prompt nor attributes are learned.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor mine = responses.indices_of(ResponseRole::chosen);
    Loss loss;
    loss.terms.push_back({.name = "nll",
                          .sum = -responses.logps.index_select(0, mine).sum(),
                          .per = Per::token,
                          .role = ResponseRole::chosen});
    return loss;
  }
};

ATTUNE_PART(Objective, steerlm, Steerlm,
            .summary = "learns all answers, good and bad, each under the ratings that its prompt names",
            .formula = "-sum_t log pi(y_t | attributes, x, y_<t) / number of answer tokens in the step",
            .paper =
                "Dong et al. 2023, SteerLM: Attribute Conditioned SFT as an (User-Steerable) Alternative to RLHF, "
                "arXiv:2310.05344");

}  // namespace attune::objectives
