// Distributional Dispreference Optimization.
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/masked_select.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>

#include "attune/objectives/unpaired.h"

namespace attune::objectives {

class D2o final : public Objective {
  double alpha_ = 0.1;
  double beta_ = 0.1;

 public:
  void describe(Fields& fields) {
    fields("alpha", alpha_, "strength of the push away from the bad answer").above(0);
    fields("beta", beta_, "strength of the pull to the model's own samples").above(0);
  }

  Needs needs() const override { return {.models = {"reference"}}; }
  std::string data() const override {
    return "a bad answer (thumb down, or the rejected one of a comparison) with unjudged ones that the model wrote";
  }

  // The group of a record: its bad answers, and what nobody has judged, which are the model's own samples (11 in the
  // paper). The chosen side of a comparison is left alone: this learns from negatives only.
  void layout(const RecordView& record, Layout& layout) const override {
    const auto own = unjudged(record);
    std::vector<std::int64_t> group;
    for (const auto& [completion, role] : opinions(record)) {
      if (role == ResponseRole::rejected && !own.empty()) group.push_back(layout.add(record, completion, role));
    }
    if (group.empty()) return;
    for (const std::int32_t i : own) group.push_back(layout.add(record, i, ResponseRole::self_sample));
    layout.group(group);
  }

  // Duan et al. 2024: -log sigmoid(beta mean_k (log pi(y_k) - log ref(y_k)) - alpha (log pi(y) - log ref(y))) of
  // a bad answer y; the mean over a record's bad answers. The paper's two references, one more and one less harmful,
  // are one and the same model in its experiments, and here.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor group = responses.groups.index.defined()
                             ? responses.groups.index
                             : at::full({responses.size()}, -1, responses.logps.options().dtype(at::kLong));
    const auto grouped = [&](ResponseRole role) {
      const Tensor indices = responses.indices_of(role);
      return indices.masked_select(group.index_select(0, indices) >= 0);
    };
    const auto mean_by_group = [&](const Tensor& values, const Tensor& of) {
      const Tensor zeros = at::zeros({responses.groups.count}, values.options());
      return zeros.index_add(0, of, values) / zeros.index_add(0, of, at::ones_like(values)).clamp_min(1);
    };
    const Tensor bad = grouped(ResponseRole::rejected), own = grouped(ResponseRole::self_sample);
    const Tensor log_ratio = responses.logps - responses.model("reference").logps;
    const Tensor bad_group = group.index_select(0, bad), own_group = group.index_select(0, own);
    const Tensor own_reward = beta_ * mean_by_group(log_ratio.index_select(0, own), own_group);
    const Tensor good_reward = own_reward.index_select(0, bad_group);
    const Tensor bad_reward = alpha_ * log_ratio.index_select(0, bad);
    const Tensor values = -responses.weights.index_select(0, bad) * at::log_sigmoid(good_reward - bad_reward);
    Loss loss;
    loss.terms.push_back({.name = "d2o", .sum = mean_by_group(values, bad_group).sum(), .per = Per::group});
    const auto count = static_cast<double>(bad.size(0));
    loss.metrics.add("rewards/self_samples", good_reward.sum(), count);
    loss.metrics.add("rewards/rejected", bad_reward.sum(), count);
    loss.metrics.add("rewards/margins", (good_reward - bad_reward).sum(), count);
    return loss;
  }
};

ATTUNE_PART(Objective, d2o, D2o,
            .summary = "unlearns bad answers without good ones, held in place by the model's own samples",
            .formula = "-log sigmoid(beta/K sum_k (log pi(y_k) - log ref(y_k)) - alpha (log pi(bad) - log ref(bad)))",
            .paper =
                "Duan et al. 2024, Negating Negatives: Alignment without Human Positive Samples via Distributional "
                "Dispreference Optimization, arXiv:2403.03419");

}  // namespace attune::objectives
