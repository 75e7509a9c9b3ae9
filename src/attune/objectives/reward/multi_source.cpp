// Comparisons from several sources whose people want different things, without one of them carrying the rest away.
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>

#include <map>
#include <string>
#include <vector>

#include "attune/config/fields.h"
#include "attune/objectives/min_norm.h"
#include "attune/objectives/pairwise.h"
#include "attune/objectives/reward.h"

namespace attune::objectives {
namespace {

const std::string of_gradient = "gradient/", of_weight = "weight/";

struct SourcePairs {
  std::string source = {};
  Tensor in = {};  // [P], 1 where the pair is of this source
};

// By the source of the chosen answer.
std::vector<SourcePairs> by_source(const Responses& responses) {
  const Tensor sources = responses.labels.select(1, 0).index_select(0, responses.pairs.chosen);
  const Tensor plain = sources.to(at::kDouble).cpu().contiguous();
  std::map<double, std::string> names;
  for (std::int64_t i = 0; i < plain.numel(); ++i) {
    const double source = plain.const_data_ptr<double>()[i];
    names.try_emplace(source, format_double(source));
  }
  std::vector<SourcePairs> result;
  for (const auto& [source, name] : names)
    result.push_back({name, (sources == source).to(responses.outputs.options())});
  return result;
}

}  // namespace

class MultiSource final : public RewardObjective {
  double step_ = 0.1;

 public:
  MultiSource() : RewardObjective("scalar") {}

  void describe(Fields& fields) {
    describe_head(fields);
    fields("step", step_, "share of a step's gradient in the running mean of each source's").within(0.001, 1);
  }

  Needs needs() const override {
    Needs needs = RewardObjective::needs();
    needs.statistics = true;
    needs.labels = {{.attribute = std::string(source_column)}};
    return needs;
  }
  std::string data() const override { return "comparisons of a chosen and a rejected answer, best of several files"; }

  void layout(const RecordView& record, Layout& layout) const override {
    for (const auto& preference : record.preferences) pair_ends(record, preference, layout);
  }

  // Of each source the sum of its pairs' losses' gradients by the weights of the score head, [k, D], which is linear.
  Statistics gather(const Responses& responses) const override {
    Statistics statistics;
    if (responses.pairs.size() == 0) return statistics;
    const at::AutoGradMode with_gradient(true);
    const Tensor outputs = responses.outputs.detach().requires_grad_(true);
    const Tensor chosen = outputs.index_select(0, responses.pairs.chosen);
    const Tensor losses = pair_losses(chosen, outputs.index_select(0, responses.pairs.rejected));
    for (const auto& [source, in] : by_source(responses)) {
      const Tensor weight = in * responses.pairs.weight;
      outputs.mutable_grad() = Tensor();
      (weight * losses).sum().backward({}, true);
      statistics.sums[of_gradient + source] = at::matmul(outputs.grad().t(), responses.states.detach());
      statistics.sums[of_weight + source] = weight.sum();
    }
    return statistics;
  }

  // The running means of the gradients, also of sources that this step does not hold; weights of those that it does.
  Statistics update(const Statistics& previous, Statistics step) const override {
    Statistics result;
    for (const auto& [name, value] : previous.sums) {
      if (name.starts_with(of_gradient)) result.sums[name] = value;
    }
    for (const auto& [name, value] : step.sums) {
      if (!name.starts_with(of_weight)) continue;
      const std::string gradient = of_gradient + name.substr(of_weight.size());
      const Tensor now = step.sums.at(gradient) / value.clamp_min(1e-30);
      const auto known = result.sums.find(gradient);
      result.sums[name] = value;
      result.sums[gradient] = known != result.sums.end() ? (1 - step_) * known->second + step_ * now : now;
    }
    return result;
  }

  // T sum_i lambda_i L_i over the T sources of the step, lambda the weights of the shortest combination of their
  // gradients (Zeng et al. 2023, section 4).
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress&) const override {
    const OutputPairs outputs = output_pairs(responses);
    const auto lambdas = weights_of(statistics);
    const Tensor losses = pair_losses(outputs.chosen, outputs.rejected);
    Loss loss;
    Tensor sum = losses.sum() * 0;
    for (const auto& [source, in] : by_source(responses)) {
      const double lambda = lambdas.at(source), sources = static_cast<double>(lambdas.size());
      const Tensor all = statistics.sums.at(of_weight + source).clamp_min(1e-30);
      sum = sum + sources * lambda * (in * responses.pairs.weight * losses).sum() / all;
      loss.metrics.add("lambda/" + source, lambda * in.sum(), in.sum());
    }
    loss.terms.push_back({.name = "multi_source", .sum = sum, .per = Per::constant});
    add_comparison_metrics(loss.metrics, *head_, outputs, head_->log_odds(outputs.chosen, outputs.rejected),
                           responses.pairs.probability);
    return loss;
  }

 private:
  Tensor pair_losses(const Tensor& chosen, const Tensor& rejected) const {
    return logistic(head_->log_odds(chosen, rejected));
  }

  static std::map<std::string, double> weights_of(const Statistics& statistics) {
    std::vector<std::string> sources;
    std::vector<Tensor> gradients;
    for (const auto& [name, value] : statistics.sums) {
      if (!name.starts_with(of_weight)) continue;
      sources.push_back(name.substr(of_weight.size()));
      gradients.push_back(statistics.sums.at(of_gradient + sources.back()).flatten());
    }
    std::map<std::string, double> result;
    if (sources.empty()) return result;
    const auto weights = min_norm_weights(at::stack(gradients));
    for (std::size_t i = 0; i < sources.size(); ++i) result[sources[i]] = weights[i];
    return result;
  }
};

ATTUNE_PART(
    Objective, reward_multi_source, MultiSource,
    .summary = "a reward model of several sources of comparisons (files), none of which carries the rest away",
    .formula = "T sum_i lambda_i L_i, lambda = argmin over the simplex of |sum_i lambda_i dL_i/d head|^2",
    .paper = "Zeng et al. 2023, On Diversified Preferences of Large Language Model Alignment, arXiv:2312.07401");

}  // namespace attune::objectives
