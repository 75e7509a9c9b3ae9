#include "attune/objectives/objective.h"

#include <ATen/ops/cat.h>

#include "attune/base/errors.h"

namespace attune {

void Statistics::merge(const Statistics& other) {
  for (const auto& [name, value] : other.sums) {
    Tensor& sum = sums[name];
    sum = sum.defined() ? sum + value : value;
  }
  for (const auto& [name, value] : other.columns) {
    Tensor& column = columns[name];
    column = column.defined() ? at::cat({column, value}) : value;
  }
}

void Objective::layout(const RecordView& record, Layout& layout) const {
  for (const auto& preference : record.preferences) {
    const auto chosen = layout.add(record, preference.chosen, ResponseRole::chosen);
    const auto rejected = layout.add(record, preference.rejected, ResponseRole::rejected);
    layout.pair(chosen, rejected, preference);
  }
}

Statistics Objective::update(const Statistics&, Statistics step) const { return step; }

Needs needs_of(const ObjectiveList& objectives) {
  Needs needs;
  for (const auto& objective : objectives) needs.merge(objective->needs());
  return needs;
}

Rounds rounds_of(const ObjectiveList& objectives) {
  Rounds result;
  for (const auto& objective : objectives) {
    const Rounds rounds = objective->rounds();
    if (rounds.count == 1) continue;
    if (result.count != 1 && (rounds.count != result.count || rounds.momentum != result.momentum)) {
      throw ConfigError({.field = "objective"}, "two objectives that train in different rounds", "the same rounds");
    }
    result = rounds;
  }
  return result;
}

void lay_out(const ObjectiveList& objectives, const RecordView& record, Layout& layout) {
  for (const auto& objective : objectives) objective->layout(record, layout);
  layout.end_record();
}

Loss compute(const ObjectiveList& objectives, const Responses& responses, const std::vector<Statistics>& statistics,
             const Progress& progress) {
  Loss sum;
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    Loss loss = objectives[i]->compute(responses, statistics[i], progress);
    for (Term& term : loss.terms) {
      term.weight *= objectives[i].weight;
      if (objectives.size() > 1) term.name = std::string(objectives[i].name()) + "/" + term.name;
      sum.terms.push_back(std::move(term));
    }
    for (const auto& [name, value] : loss.metrics.values()) {
      if (!sum.metrics.values().contains(name)) sum.metrics.add(name, value.sum, value.count);
    }
  }
  return sum;
}

}  // namespace attune
