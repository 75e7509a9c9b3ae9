// Objectives on enumerated answers: records for TabularPolicy, one step over all of them, and gradient descent.
#pragma once

#include <ATen/ops/matmul.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "attune/config/read.h"
#include "attune/objectives/objective.h"
#include "attune/policy/tabular.h"
#include "attune/policy/token_record.h"

namespace attune::testing {

// What a run file's `objective: YAML` is.
inline ObjectiveList objectives_of(const std::string& yaml) {
  struct {
    ObjectiveList objective = {};
    void describe(Fields& fields) { fields("objective", objective, ""); }
  } chosen;
  read_config(parse_yaml("objective: " + yaml, "test"), chosen);
  return chosen.objective;
}

// A record whose prompt is row `prompt` of a table and whose completions are its `answers` answers of one token each.
inline TokenRecord answers_to(std::int64_t prompt, std::int64_t answers) {
  const auto count = static_cast<std::size_t>(answers);
  TokenRecord record{.row = prompt};
  record.completions.resize(count);
  record.scored_tokens.assign(count, 1);
  record.sequence_tokens.assign(count, 2);
  return record;
}

struct ExactStep {
  Tensor loss;  // of the whole step, with gradient
  std::map<std::string, double> metrics = {};
};

// All records as one micro-batch; KL probes are after the prompt of the next record. `statistics` go on from step to
// step where given.
inline ExactStep exact_step(Policy& policy, const ObjectiveList& objectives, const std::vector<TokenRecord>& records,
                            std::vector<Statistics>* statistics = nullptr, const Progress& progress = {}) {
  Layout layout;
  for (std::size_t i = 0; i < records.size(); ++i) {
    RecordView view = records[i].view(records[i].row);
    if (records.size() > 1) view.probe_prompt = records[(i + 1) % records.size()].row;
    lay_out(objectives, view, layout);
  }
  const Batch batch = layout.take();
  Counts counts;
  counts.add(batch);
  const Needs needs = needs_of(objectives);
  std::vector<Statistics> gathered(objectives.size());
  for (std::size_t i = 0; needs.statistics && i < objectives.size(); ++i) {
    const at::AutoGradMode no_gradient(false);
    const Statistics previous = statistics != nullptr && !statistics->empty() ? (*statistics)[i] : Statistics{};
    gathered[i] = objectives[i]->update(previous, objectives[i]->gather(policy.score(batch, needs)));
  }
  const Loss loss = compute(objectives, policy.score(batch, needs), gathered, progress);
  if (statistics != nullptr) *statistics = gathered;
  return {total(loss, counts), loss.metrics.read()};
}

struct Descent {
  int steps = 500;
  double rate = 1;
  // [X, Y, d]: the logits move only along these features, whose weights all prompts share; undefined: each on its own.
  Tensor features = {};
  Policy* scorer = nullptr;  // scores instead of the table, through the table's logits
};

// Plain gradient descent; the last step's loss.
inline double descend(TabularPolicy& policy, const ObjectiveList& objectives, const std::vector<TokenRecord>& records,
                      const Descent& descent) {
  double value = 0;
  std::vector<Statistics> statistics;
  for (int step = 0; step < descent.steps; ++step) {
    policy.logits().mutable_grad() = Tensor();
    Policy& scorer = descent.scorer != nullptr ? *descent.scorer : policy;
    const Tensor loss = exact_step(scorer, objectives, records, &statistics, {.step = step}).loss;
    loss.backward();
    value = loss.item<double>();
    const at::AutoGradMode off(false);
    Tensor direction = policy.logits().grad();
    if (descent.features.defined()) {
      const Tensor flat = descent.features.flatten(0, 1);
      direction = at::matmul(flat, at::matmul(flat.t(), direction.flatten())).view(direction.sizes());
    }
    Tensor(policy.logits()).sub_(descent.rate * direction);
  }
  return value;
}

// The share of successes under a fair coin that is at least as large as `wins` of `runs`: P(X >= wins).
inline double sign_test(int wins, int runs) {
  double tail = 0, term = std::pow(0.5, runs);  // of exactly `k` successes
  for (int k = 0; k <= runs; ++k) {
    if (k >= wins) tail += term;
    term *= static_cast<double>(runs - k) / (k + 1);
  }
  return tail;
}

}  // namespace attune::testing
