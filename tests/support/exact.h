// Objectives on enumerated answers: records for TabularPolicy, one step over all of them, and gradient descent.
#pragma once

#include <ATen/ops/matmul.h>

#include <cmath>
#include <iterator>
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

// Records whose completions are answers drawn from a table: the same answer may stand in a record, and the same prompt
// in the data, several times. Record i of the data is row i.
struct Drawn {
  std::int64_t prompt = 0;
  std::vector<std::int32_t> answers = {};
};
class DrawnAnswers final : public Policy {
 public:
  DrawnAnswers(TabularPolicy& table, std::vector<Drawn> records) : table_(&table), records_(std::move(records)) {}
  Responses score(const Batch& batch, const Needs& needs) override {
    Batch drawn = batch;
    for (auto& planned : drawn.responses) {
      planned.completion = of(planned.record).answers[static_cast<std::size_t>(planned.completion)];
      planned.prompt = of(planned.prompt).prompt;
    }
    return table_->score(drawn, needs);
  }

 private:
  const Drawn& of(std::int64_t record) const { return records_[static_cast<std::size_t>(record)]; }
  TabularPolicy* table_;
  std::vector<Drawn> records_;
};

// An answer drawn with these probabilities, which sum to 1.
inline std::int32_t draw(Random& random, const std::vector<double>& shares) {
  double left = random.uniform();
  std::int32_t answer = 0;
  while (answer + 1 < std::ssize(shares) && (left -= shares[static_cast<std::size_t>(answer)]) > 0) ++answer;
  return answer;
}

}  // namespace attune::testing
