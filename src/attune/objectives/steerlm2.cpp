// SteerLM 2.0: a list of sampled answers is moved towards the distribution that its attributes ask for.
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "attune/objectives/listwise.h"

namespace attune::objectives {

enum class Targets { weights, log_weights };
constexpr auto enum_names(Targets) {
  return std::array{std::pair{std::string_view("weights"), Targets::weights},
                    std::pair{std::string_view("log-weights"), Targets::log_weights}};
}

class Steerlm2 final : public Objective {
  Targets targets_ = Targets::weights;

 public:
  void describe(Fields& fields) {
    fields("targets", targets_,
           "what the scores of a list are: its target probabilities up to a factor (weights), or "
           "their logarithms (log-weights)");
  }

  Needs needs() const override { return {}; }
  std::string data() const override {
    return "lists of sampled answers with scores and with their log-probabilities under the sampler";
  }

  void layout(const RecordView& record, Layout& layout) const override {
    const auto completions = scored_completions(record);
    const auto labels = [&](std::int32_t i) { return record.labels[static_cast<std::size_t>(i)]; };
    const bool sampled = std::all_of(completions.begin(), completions.end(), [&](std::int32_t i) {
      return !std::isnan(labels(i).behaviour_logp) && (targets_ == Targets::log_weights || labels(i).score >= 0);
    });
    const bool some = std::any_of(completions.begin(), completions.end(), [&](std::int32_t i) {
      return targets_ == Targets::log_weights || labels(i).score > 0;
    });
    if (completions.size() > 1 && sampled && some) lay_out_list(record, completions, layout);
  }

  // Wang et al. 2024, as NeMo-Aligner computes it: the policy on a list is softmax(log pi - log Q), Q the
  // sampler, and the gradient of its divergence from the target w is that of sum_i (w_i - softmax_i) NLL_i with the
  // brackets held still; by the mean number of tokens of the list's answers.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Lists lists = ranked_lists(responses);
    const auto shares = [&](const Tensor& logits) { return at::softmax(at::where(lists.valid, logits, -1e30), 1); };
    const Tensor policy = shares((lists.logps - lists.behaviour).detach());
    const Tensor target =
        targets_ == Targets::weights ? lists.labels / lists.labels.sum(1, true) : shares(lists.labels);
    const Tensor length = lists.masked(lists.lengths).sum(1) / lists.size();
    const Tensor values = lists.masked((policy - target) * lists.logps).sum(1) / length;
    Loss loss;
    loss.terms.push_back({.name = "steerlm2", .sum = values.sum(), .per = Per::group});
    // The same small number as there, so that the figures can be compared.
    const Tensor distance = (target + 1e-8) * ((target + 1e-8) / (policy + 1e-8)).log();
    loss.metrics.add("distance", lists.masked(distance).sum(), static_cast<double>(lists.valid.size(0)));
    return loss;
  }
};

ATTUNE_PART(Objective, steerlm2, Steerlm2,
            .summary = "moves the policy on a list of samples to the share that each one's attributes deserve",
            .formula = "sum_i sg(w_i - softmax_i(log pi - log Q)) (-log pi(y_i)) / mean tokens of the list",
            .paper =
                "Wang et al. 2024, HelpSteer2: Open-source dataset for training top-performing reward models, "
                "arXiv:2406.08673 (SteerLM 2.0)");

}  // namespace attune::objectives
