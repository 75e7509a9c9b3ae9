// Dynamic fine-tuning: likelihood without its weight on unlikely tokens.
#include <ATen/ops/index_select.h>

#include "attune/objectives/demonstrations.h"
#include "attune/objectives/objective.h"
#include "attune/objectives/unpaired.h"

namespace attune::objectives {

class Dft final : public Objective {
 public:
  void describe(Fields&) {}

  Needs needs() const override { return {.tokens = true}; }
  std::string data() const override { return demonstrations_data; }
  void layout(const RecordView& record, Layout& layout) const override { lay_out_demonstrations(record, layout); }

  // Wu et al. 2025: -sg(p_t) log p_t. The gradient of a likelihood is that of a reward of 1 / p on the one right
  // token; the factor p, held still, takes the 1 / p away.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor logps = responses.tokens.logps;
    const Tensor mine = mask_of(responses, ResponseRole::chosen).index_select(0, responses.tokens.response);
    Loss loss;
    loss.terms.push_back({.name = "dft",
                          .sum = -(mine * logps.detach().exp() * logps).sum(),
                          .per = Per::token,
                          .role = ResponseRole::chosen});
    return loss;
  }
};

ATTUNE_PART(Objective, dft, Dft, .summary = "learns demonstrations with every token weighted by its own probability",
            .formula = "-sum_t sg(pi(y_t | x, y_<t)) log pi(y_t | x, y_<t) / number of answer tokens",
            .paper =
                "Wu et al. 2025, On the Generalization of SFT: A Reinforcement Learning Perspective with Reward "
                "Rectification, arXiv:2508.05629");

}  // namespace attune::objectives
