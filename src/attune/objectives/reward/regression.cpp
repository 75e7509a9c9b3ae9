// Ratings as they are: a number for each attribute that somebody rated.
#include <ATen/ops/isnan.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>

#include "attune/objectives/reward.h"

namespace attune::objectives {

class Regression final : public RewardObjective {
 public:
  Regression() : RewardObjective("attributes") {}

  void describe(Fields& fields) { describe_head(fields); }

  Needs needs() const override {
    Needs needs = RewardObjective::needs();
    for (const std::string& attribute : head_->outputs()) needs.labels.push_back({.attribute = attribute});
    return needs;
  }
  std::string data() const override { return "answers with a rating of one of the head's attributes"; }

  void layout(const RecordView& record, Layout& layout) const override {
    for (std::size_t i = 0; i < record.labels.size(); ++i) {
      const auto& columns = record.labels[i].columns;
      const auto rated = [](double value) { return !std::isnan(value); };
      if (std::any_of(columns.begin(), columns.end(), rated)) add_end(record, static_cast<std::int32_t>(i), layout);
    }
  }

  // Wang et al. 2023: the squared error over the attributes that were rated, over their number in the whole step.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor missing = responses.labels.isnan();
    const Tensor error = at::where(missing, 0, responses.outputs - at::where(missing, 0, responses.labels));
    Loss loss;
    loss.terms.push_back(
        {.name = "regression", .sum = (responses.weights.unsqueeze(1) * error.square()).sum(), .per = Per::label});
    const at::NoGradGuard no_gradient;
    add_reward_metrics(loss.metrics, head_->score(responses.outputs));
    const auto names = head_->outputs();
    for (std::int64_t k = 0; k < std::ssize(names); ++k) {
      loss.metrics.add("error/" + names[static_cast<std::size_t>(k)], error.select(1, k).abs().sum(),
                       (1 - missing.select(1, k).to(error.scalar_type())).sum());
    }
    return loss;
  }
};

ATTUNE_PART(Objective, reward_regression, Regression,
            .summary = "a reward model of ratings: each attribute is predicted, those that nobody rated are left out",
            .formula = "sum_k m_k (f_k(x, y) - rating_k)^2 / sum_k m_k, m_k = 1 where attribute k was rated",
            .paper =
                "Wang et al. 2023, HelpSteer: Multi-attribute Helpfulness Dataset for SteerLM, arXiv:2311.09528; "
                "as in NeMo-Aligner's regression reward model");

}  // namespace attune::objectives
