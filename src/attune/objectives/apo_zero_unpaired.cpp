// Anchored Preference Optimization, the zero variant on single answers.
#include <ATen/ops/index_select.h>
#include <ATen/ops/sigmoid.h>

#include "attune/objectives/unpaired.h"

namespace attune::objectives {

class ApoZeroUnpaired final : public Objective {
  double beta_ = 0.1;
  double desirable_weight_ = 1;
  double undesirable_weight_ = 1;

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "strength of the pull to the reference").above(0);
    fields("desirable_weight", desirable_weight_, "weight of good answers").at_least(0);
    fields("undesirable_weight", undesirable_weight_, "weight of bad answers").at_least(0);
  }

  Needs needs() const override { return {.models = {"reference"}}; }
  std::string data() const override { return opinions_data; }
  void layout(const RecordView& record, Layout& layout) const override { lay_out_opinions(record, layout); }

  // D'Oosterlinck et al. 2024, eq. 7, whose two halves never meet: good 1 - sigmoid(beta r), bad sigmoid(beta r). It is
  // KTO with its reference point held at 0.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const auto good = answers(responses, ResponseRole::chosen, "reference");
    const auto bad = answers(responses, ResponseRole::rejected, "reference");
    const Tensor good_loss = desirable_weight_ * at::sigmoid(-beta_ * good.log_ratio);
    const Tensor bad_loss = undesirable_weight_ * at::sigmoid(beta_ * bad.log_ratio);
    Loss loss;
    loss.terms.push_back(opinions_term("apo-zero-unpaired", good, good_loss, bad, bad_loss));
    add_unpaired_metrics(loss.metrics, good, bad, beta_);
    return loss;
  }
};

ATTUNE_PART(Objective, apo_zero_unpaired, ApoZeroUnpaired,
            .summary =
                "raises good answers above the reference and lowers bad ones below it, without a KL estimate; "
                "for data better than the model",
            .formula = "good: 1 - sigmoid(beta r); bad: sigmoid(beta r); r = log pi - log ref   (eq. 7)",
            .paper =
                "D'Oosterlinck et al. 2024, Anchored Preference Optimization and Contrastive Revisions, "
                "arXiv:2408.06266");

}  // namespace attune::objectives
