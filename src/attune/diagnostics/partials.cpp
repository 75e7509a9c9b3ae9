#include "attune/diagnostics/partials.h"

#include <ATen/ops/tensor.h>

#include <array>

#include "attune/base/errors.h"

namespace attune::diagnostics {
namespace {

[[noreturn]] void refuse(const Choice<Objective>& objective, const std::string& what) {
  throw ConfigError({.field = "objective"}, "the objective " + std::string(objective.name()) + ", which " + what,
                    "one that learns from the log-probabilities of two answers, such as dpo");
}

Needs pair_needs(const Choice<Objective>& objective) {
  Needs needs = objective->needs();
  for (const std::string& role : needs.models) {
    if (role != "reference") refuse(objective, "needs the model '" + role + "'");
  }
  if (!needs.only_sums()) refuse(objective, "looks at single tokens, heads or other prompts");
  if (needs.reference_answers || needs.rationales) refuse(objective, "looks at more than two answers");
  return needs;
}

Batch batch_of(const Choice<Objective>& objective, const PairPoint& point) {
  const std::array<std::int64_t, 2> tokens = {static_cast<std::int64_t>(point.lengths.chosen),
                                              static_cast<std::int64_t>(point.lengths.rejected)};
  const std::array<RecordView::Preference, 1> preferences = {{{.chosen = 0, .rejected = 1}}};
  Layout layout;
  objective->layout({.index = 0, .scored_tokens = tokens, .preferences = preferences}, layout);
  layout.end_record();
  Batch batch = layout.take();
  if (batch.responses.empty()) refuse(objective, "takes nothing from a pair");
  return batch;
}

Tensor column(const Batch& batch, const Sides& sides) {
  std::vector<double> values;
  for (const auto& response : batch.responses) {
    values.push_back(response.completion == 0 ? sides.chosen : sides.rejected);
  }
  return at::tensor(values, at::kDouble);
}

PairPartials partials_of(const Choice<Objective>& objective, const Needs& needs, const PairPoint& point) {
  const Batch batch = batch_of(objective, point);
  const Tensor leaf = column(batch, point.policy).set_requires_grad(true);
  Responses responses = batch.skeleton(leaf);
  responses.logps = leaf;
  for (const std::string& role : needs.models) responses.models[role].logps = column(batch, point.reference);
  Statistics statistics;
  if (needs.statistics) statistics = objective->update({}, objective->gather(responses));
  Counts counts;
  counts.add(batch);
  const Tensor loss = objective.weight * total(objective->compute(responses, statistics, {}), counts);
  PairPartials result{.loss = loss.item<double>(), .partial = {}};
  if (!loss.requires_grad()) return result;
  loss.backward();
  const Tensor gradient = leaf.grad().contiguous();
  for (std::size_t i = 0; i < batch.responses.size(); ++i) {
    const double value = gradient.const_data_ptr<double>()[i];
    (batch.responses[i].completion == 0 ? result.partial.chosen : result.partial.rejected) += value;
  }
  return result;
}

}  // namespace

Choice<Objective> objective_named(std::string_view name) {
  const auto* row = find_part<Objective>(name);
  require(row != nullptr, "no objective of the name '" + std::string(name) + "'");
  return Choice<Objective>(*row);
}

std::vector<PairPartials> pair_partials(const Choice<Objective>& objective, std::span<const PairPoint> points) {
  const Needs needs = pair_needs(objective);
  std::vector<PairPartials> result;
  for (const PairPoint& point : points) result.push_back(partials_of(objective, needs, point));
  return result;
}

}  // namespace attune::diagnostics
