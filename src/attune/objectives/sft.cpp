// Supervised fine-tuning: the mean negative log-likelihood of the answers worth learning.
#include <ATen/ops/index_select.h>

#include "attune/objectives/demonstrations.h"
#include "attune/objectives/objective.h"

namespace attune::objectives {

class Sft final : public Objective {
 public:
  void describe(Fields&) {}

  Needs needs() const override { return {}; }
  std::string data() const override { return demonstrations_data; }
  void layout(const RecordView& record, Layout& layout) const override { lay_out_demonstrations(record, layout); }

  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor chosen = responses.indices_of(ResponseRole::chosen);
    Loss loss;
    loss.terms.push_back({.name = "nll",
                          .sum = -responses.logps.index_select(0, chosen).sum(),
                          .per = Per::token,
                          .role = ResponseRole::chosen});
    return loss;
  }
};

ATTUNE_PART(Objective, sft, Sft, .summary = "learns the wanted answers token by token",
            .formula = "-sum_t log pi(y_t | x, y_<t) / number of answer tokens in the step",
            .paper = "Ouyang et al. 2022, Training language models to follow instructions, arXiv:2203.02155, step 1");

}  // namespace attune::objectives
