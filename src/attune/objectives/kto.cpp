// Kahneman-Tversky Optimization.
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/sigmoid.h>

#include "attune/objectives/unpaired.h"

namespace attune::objectives {

class Kto final : public Objective {
  double beta_ = 0.1;
  double desirable_weight_ = 1;
  double undesirable_weight_ = 1;

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "strength of the pull to the reference").above(0);
    fields("desirable_weight", desirable_weight_, "weight of good answers").at_least(0);
    fields("undesirable_weight", undesirable_weight_,
           "weight of bad answers; keep weight times number of the two kinds "
           "within a factor of 4/3 of each other (eq. 8)")
        .at_least(0);
  }

  Needs needs() const override {
    return {.models = {"reference"}, .statistics = true, .gathered = ResponseRole::kl_probe, .probes = true};
  }
  std::string data() const override { return opinions_data; }

  // Every judged answer once more after another record's prompt. A step of one record borrows the prompt of the next
  // record of the data; where no other prompt exists at all there is no probe and the estimate below stays 0.
  void layout(const RecordView& record, Layout& layout) const override {
    for (const auto& [completion, role] : opinions(record)) {
      layout.add(record, completion, role);
      layout.add_probe(record, completion);
    }
  }

  // TRL takes the mean over one micro-batch of one device, whose completions it has rotated by one when it prepared the
  // data, and so needs two rows a device; here it is over the whole optimiser step, whatever the micro-batches are.
  Statistics gather(const Responses& responses) const override {
    Statistics statistics;
    gather_mean(statistics, "log_ratio", answers(responses, ResponseRole::kl_probe, "reference").log_ratio);
    return statistics;
  }

  // Ethayarajh et al. 2024, eq. 7: the reference point z0 is an estimate of KL(pi || reference), never below 0.
  //   good: w_d (1 - sigmoid(beta (r - z0))),  bad: w_u (1 - sigmoid(beta (z0 - r))),  r = log pi - log reference.
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress&) const override {
    const auto good = answers(responses, ResponseRole::chosen, "reference");
    const auto bad = answers(responses, ResponseRole::rejected, "reference");
    const Tensor z0 = at::clamp_min(gathered_mean(statistics, "log_ratio", responses.logps).mean, 0);
    const Tensor good_loss = desirable_weight_ * at::sigmoid(beta_ * (z0 - good.log_ratio));
    const Tensor bad_loss = undesirable_weight_ * at::sigmoid(beta_ * (bad.log_ratio - z0));
    Loss loss;
    loss.terms.push_back(opinions_term("kto", good, good_loss, bad, bad_loss));
    add_unpaired_metrics(loss.metrics, good, bad, beta_);
    loss.metrics.add("kl", z0, 1);
    return loss;
  }
};

ATTUNE_PART(Objective, kto, Kto,
            .summary =
                "raises good answers and lowers bad ones, each on its own, around a KL estimate from mismatched "
                "prompts",
            .formula =
                "good: 1 - sigmoid(beta (r - z0)); bad: 1 - sigmoid(beta (z0 - r)); r = log pi - log ref, "
                "z0 = max(0, mean r on mismatched prompts)   (eq. 7)",
            .paper =
                "Ethayarajh et al. 2024, KTO: Model Alignment as Prospect Theoretic Optimization, "
                "arXiv:2402.01306");

}  // namespace attune::objectives
