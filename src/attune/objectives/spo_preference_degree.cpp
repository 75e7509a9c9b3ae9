// Self-supervised preference optimisation: the model also learns to tell how much was taken out of an answer.
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/index_select.h>

#include "attune/objectives/modifier.h"

namespace attune::objectives {

class SpoPreferenceDegree final : public Modifier {
  double gamma_ = 0.1;
  int levels_ = 4;

 public:
  void describe(Fields& fields) {
    describe_objective(fields);
    fields("gamma", gamma_, "weight of the classification; 0 is the objective alone").at_least(0);
    fields("levels", levels_, "degrees of removal, with the intact answer (0) as one of them").at_least(2);
  }

  Needs needs() const override {
    Needs needs = Modifier::needs();
    if (gamma_ > 0) needs.merge({.heads = {{.name = "degree", .rows = HeadRows::last_token, .outputs = levels_}}});
    return needs;
  }
  std::string data() const override {
    return Modifier::data() + (gamma_ > 0 ? ", and variants of answers labelled with a degree" : "");
  }

  void layout(const RecordView& record, Layout& layout) const override {
    Modifier::layout(record, layout);
    if (gamma_ == 0) return;
    for (std::int32_t i = 0; i < std::ssize(record.labels); ++i) {
      const std::int32_t level = record.labels[static_cast<std::size_t>(i)].level;
      if (level >= 0 && level < levels_) layout.add(record, i, ResponseRole::variant);
    }
  }

  // Li et al. 2024: l(c, r) + gamma CE(head(last state of the variant), degree). The paper's head reads the final
  // hidden state; that it is linear, that it stands at the last token, and gamma 0.1 are our choices: no public code
  // settles them.
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress& progress) const override {
    Loss loss = Modifier::compute(responses, statistics, progress);
    if (gamma_ == 0) return loss;
    const Tensor rows = responses.indices_of(ResponseRole::variant);
    const Tensor logits = responses.heads.at("degree").index_select(0, rows);
    const Tensor level = responses.levels.index_select(0, rows);
    const Tensor sum = at::cross_entropy_loss(logits, level, {}, at::Reduction::Sum);
    loss.terms.push_back(
        {.name = "degree", .sum = sum, .per = Per::response, .role = ResponseRole::variant, .weight = gamma_});
    const auto variants = static_cast<double>(rows.size(0));
    loss.metrics.add("degree/loss", sum, variants);
    loss.metrics.add("degree/accuracy", (logits.argmax(1) == level).to(logits.scalar_type()).sum(), variants);
    return loss;
  }
};

ATTUNE_PART(Objective, spo_preference_degree, SpoPreferenceDegree,
            .summary = "adds a classification to an objective on pairs: how much of an answer's content was removed",
            .formula = "l(c, r) + gamma CE(head(h(variant)), degree of removal)",
            .paper =
                "Li et al. 2024, Self-supervised Preference Optimization: Enhance Your Language Model with Preference "
                "Degree Awareness, arXiv:2409.17791");

}  // namespace attune::objectives
