// Direct Reward Optimisation with a value function (DRO-V).
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <array>
#include <cmath>

#include "attune/objectives/unpaired.h"

namespace attune::objectives {

enum class ValueHead { detached, shared };
constexpr auto enum_names(ValueHead) {
  return std::array{std::pair{std::string_view("detached"), ValueHead::detached},
                    std::pair{std::string_view("shared"), ValueHead::shared}};
}

class Dro final : public Objective {
  double tau_ = 1;
  ValueHead value_head_ = ValueHead::detached;
  bool rescale_policy_ = true;

 public:
  void describe(Fields& fields) {
    fields("tau", tau_, "strength of the pull to the reference").above(0);
    fields("value_head", value_head_,
           "whether the value's loss reaches the model (shared) or only its head (detached); "
           "the paper has a second network");
    fields("rescale_policy", rescale_policy_, "drop the factor tau from the policy's gradient, as the paper does");
  }

  Needs needs() const override {
    return {
        .models = {"reference"},
        .heads = {{.name = "value", .rows = HeadRows::before_answer, .detached = value_head_ == ValueHead::detached}}};
  }
  std::string data() const override { return "answers with a score or a thumb up or down"; }

  void layout(const RecordView& record, Layout& layout) const override {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(record.scored_tokens.size()); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const int thumb = record.thumbs.empty() ? 0 : record.thumbs[at];
      const bool scored = !record.labels.empty() && !std::isnan(record.labels[at].score);
      if (thumb != 0 || scored) layout.add(record, i, thumb < 0 ? ResponseRole::rejected : ResponseRole::chosen);
    }
  }

  // Richemond et al. 2024: half of (r - V - tau (log pi - log reference))^2, once for the policy with V held
  // still and once for the value with the policy held still (algorithm 1). The reward is the score, else 1 for a thumb
  // up and 0 for a thumb down.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor both =
        at::cat({responses.indices_of(ResponseRole::chosen), responses.indices_of(ResponseRole::rejected)});
    const auto rows = [&](const Tensor& column) { return column.index_select(0, both); };
    const Tensor log_ratio = rows(responses.logps - responses.model("reference").logps);
    const Tensor value = rows(responses.heads.at("value")).squeeze(1), weight = rows(responses.weights);
    const Tensor reward = rewards(responses, rows(responses.scores));
    const Tensor policy = 0.5 * (reward - value.detach() - tau_ * log_ratio).square();
    const Tensor values = 0.5 * (reward - value - tau_ * log_ratio.detach()).square();
    Loss loss;
    loss.terms.push_back({.name = "policy",
                          .sum = (weight * policy).sum(),
                          .per = Per::response,
                          .role = good_and_bad,
                          .weight = rescale_policy_ ? 1 / tau_ : 1});
    loss.terms.push_back({.name = "value", .sum = (weight * values).sum(), .per = Per::response, .role = good_and_bad});
    const auto count = static_cast<double>(both.size(0));
    loss.metrics.add("value", value.sum(), count);
    loss.metrics.add("reward", reward.sum(), count);
    loss.metrics.add("log_ratio", log_ratio.sum(), count);
    return loss;
  }

 private:
  // Of the good answers, then of the bad ones.
  static Tensor rewards(const Responses& responses, const Tensor& scores) {
    const auto good = responses.indices_of(ResponseRole::chosen).size(0);
    const Tensor thumbs = at::cat({at::ones_like(scores.slice(0, 0, good)), at::zeros_like(scores.slice(0, good))});
    return at::where(at::isnan(scores), thumbs, scores);
  }
};

ATTUNE_PART(Objective, dro, Dro,
            .summary = "fits policy and value to the rewards of single answers at once, without pairs",
            .formula = "1/2 (r - V(x) - tau (log pi - log ref))^2, for pi with V fixed and for V with pi fixed",
            .paper =
                "Richemond et al. 2024, Offline Regularised Reinforcement Learning for Large Language Models "
                "Alignment, arXiv:2405.19107");

}  // namespace attune::objectives
