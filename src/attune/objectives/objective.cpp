#include "attune/objectives/objective.h"

#include <ATen/ops/cat.h>

#include <array>

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
  std::size_t of_rewards = 0;
  for (const auto& objective : objectives) {
    const Needs own = objective->needs();
    of_rewards += own.reward ? 1 : 0;
    needs.merge(own);
  }
  if (of_rewards > 0 && of_rewards < objectives.size()) {
    throw ConfigError({.field = "objective"}, "objectives of reward models beside others",
                      "one kind: a reward model gives no log-probabilities", "train them in stages");
  }
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

namespace {

struct Laid {
  std::size_t pairs = 0;
  std::array<std::size_t, role_count> roles = {};
};

Laid counted(const Batch& batch) {
  Laid result{.pairs = batch.pairs.size()};
  for (const auto& response : batch.responses) ++result.roles[static_cast<std::size_t>(response.role)];
  return result;
}

}  // namespace

void check_agreement(const ObjectiveList& objectives, const RecordView& record) {
  if (objectives.size() < 2) return;
  Layout together;
  lay_out(objectives, record, together);
  const Laid all = counted(together.batch());
  for (const auto& objective : objectives) {
    Layout alone;
    objective->layout(record, alone);
    const Laid own = counted(alone.batch());
    const auto refuse = [&](const std::string& what) {
      throw ConfigError(
          {.field = "objective"},
          "a list in which another objective looks at more " + what + " than " + std::string(objective.name()),
          "objectives that look at the same ones", "train them in stages");
    };
    if (own.pairs > 0 && own.pairs != all.pairs) refuse("pairs");
    for (std::size_t i = 0; i < role_count; ++i) {
      if (own.roles[i] > 0 && own.roles[i] != all.roles[i]) {
        refuse("answers in the role '" + std::string(name(static_cast<ResponseRole>(i))) + "'");
      }
    }
  }
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
    sum.metrics.merge_new(loss.metrics);
  }
  return sum;
}

}  // namespace attune
