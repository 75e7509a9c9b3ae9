// Contrastive preference optimisation: DPO against a uniform reference, plus behaviour cloning of the chosen answer.
#include "attune/objectives/reference_free.h"

namespace attune::objectives {

class Cpo final : public ReferenceFreePair {
  Link link_ = Link::sigmoid;

 public:
  Cpo() : ReferenceFreePair(0.1, Length::sum, 1) {}

  void describe(Fields& fields) {
    describe_free(fields);
    fields("link", link_, "of the difference of log-probabilities; ipo averages them per token, as TRL does");
  }

  // Xu et al. 2024: -log sigmoid(beta (log pi(c) - log pi(r))) - sft_weight log pi(c) / tokens.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    return loss_above("cpo", responses, scores(responses), link_, 0);
  }

 private:
  Length length() const override { return link_ == Link::ipo ? Length::mean : Length::sum; }
};

ATTUNE_PART(Objective, cpo, Cpo, .summary = "separates the answers without a reference and imitates the chosen one",
            .formula = "-log sigmoid(beta (log pi(c) - log pi(r))) + sft_weight NLL(c), NLL a token",
            .paper = "Xu et al. 2024, Contrastive Preference Optimization, arXiv:2401.08417");

}  // namespace attune::objectives
