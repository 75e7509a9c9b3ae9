// A small exact policy over answers of several tokens, for what must hold of every objective: whatever an objective may
// need (tokens, frozen models, whole distributions, heads, probes) is there, and all of it is a smooth function of a
// few parameters, so that finite differences check everything at once.
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "attune/base/random.h"
#include "attune/objectives/objective.h"
#include "attune/policy/policy.h"
#include "attune/policy/token_record.h"

namespace attune::testing {

// Records with every kind of label. Completion 0 is preferred over 1; 2 and 3 are unlabelled samples; 4 is the gold
// answer, 5 the reason for the preference.
inline std::vector<TokenRecord> labelled_records(std::int64_t count = 4) {
  std::vector<TokenRecord> records;
  for (std::int64_t i = 0; i < count; ++i) {
    TokenRecord record;
    record.scored_tokens = {2 + i % 3, 3, 1 + i % 2, 2, 2, 3};
    for (const std::int64_t tokens : record.scored_tokens) record.sequence_tokens.push_back(tokens + 2);
    record.completions.resize(record.scored_tokens.size());
    const double shift = 0.25 * static_cast<double>(i);
    record.preferences = {{.chosen = 0, .rejected = 1, .margin = 2 - shift, .probability = 0.8, .rationale = 5}};
    record.ballots = {{.chosen = 0, .rejected = 1, .probability = 0.75, .votes = {1, 0, 0, 1, 2 + shift, 0, 0}},
                      {.chosen = 1, .rejected = 2, .probability = 0.5, .votes = {0, 0, 2, 0, 0, 1, 1}}};
    record.labels = {{.score = 2.5, .behaviour_logp = -3, .level = 0},
                     {.score = 0.5 + shift, .behaviour_logp = -4, .level = 1},
                     {.score = 1.5, .behaviour_logp = -2, .level = 2},
                     {.score = 1 - shift, .behaviour_logp = -2.5, .level = 1},
                     {},
                     {}};
    record.thumbs = {1, -1, 0, 0, 0, 0};
    record.reference_answer = 4;
    records.push_back(std::move(record));
  }
  return records;
}

class SequencePolicy final : public Policy {
 public:
  static constexpr std::int64_t parameters = 5, vocabulary = 7, width = 3;

  // `scale`: of the logits; large ones give log-probabilities near 0 and far below.
  explicit SequencePolicy(double scale = 1) : scale_(scale), theta_(draw("theta", {parameters}).clone()) {
    theta_.set_requires_grad(true);
  }
  SequencePolicy(double scale, const Tensor& theta) : scale_(scale), theta_(theta.detach().clone()) {
    theta_.set_requires_grad(true);
  }

  const Tensor& theta() const { return theta_; }

  Responses score(const Batch& batch, const Needs& needs) override {
    if (needs.reward) return score_ends(batch, *needs.reward);
    Responses responses = batch.skeleton(theta_);
    std::vector<std::int64_t> response, target, first, last;
    std::vector<Tensor> base, slopes, states, activations;
    for (std::size_t i = 0; i < batch.responses.size(); ++i) {
      const PlannedResponse& planned = batch.responses[i];
      first.push_back(static_cast<std::int64_t>(response.size()));
      for (std::int64_t token = 0; token < planned.tokens; ++token) {
        const std::string key = std::to_string(planned.prompt) + "/" + std::to_string(planned.record) + "/" +
                                std::to_string(planned.completion) + "/" + std::to_string(token);
        base.push_back(draw("base/" + key, {vocabulary}));
        slopes.push_back(draw("slope/" + key, {vocabulary, parameters}));
        states.push_back(draw("state/" + key, {width, parameters}));
        activations.push_back(draw("activation/" + key, {1}).abs() + 0.1);
        target.push_back((planned.record + planned.completion + token) % vocabulary);
        response.push_back(static_cast<std::int64_t>(i));
      }
      last.push_back(static_cast<std::int64_t>(response.size()) - 1);
    }
    const Tensor index = at::tensor(response, at::kLong);
    const Tensor targets = at::tensor(target, at::kLong);
    const auto logits_at = [&](const Tensor& theta) {
      return scale_ * (at::stack(base) + at::matmul(at::stack(slopes), theta));
    };
    const auto token_logps = [&](const Tensor& logits) {
      return at::log_softmax(logits, 1).gather(1, targets.unsqueeze(1)).squeeze(1);
    };
    const auto summed = [&](const Tensor& values) {
      return at::zeros({responses.size()}, values.options()).index_add(0, index, values);
    };
    const Tensor logits = logits_at(theta_);
    responses.tokens.logps = token_logps(logits);
    responses.tokens.response = index;
    responses.tokens.span = index;
    responses.logps = summed(responses.tokens.logps);
    for (const auto& role : needs.frozen_models()) {
      const Tensor frozen = token_logps(logits_at(draw("frozen/" + role, {parameters})));
      responses.models[role] = {summed(frozen), frozen};
    }
    for (const auto& term : needs.vocabulary) {
      VocabularyChunk chunk{logits, targets, {}};
      for (const auto& role : term.models) {
        chunk.model_logits[role] = logits_at(draw("frozen/" + role, {parameters}));
      }
      responses.tokens.vocabulary[term.name] = term.reduce(chunk);
    }
    if (needs.activations) responses.tokens.activation = at::cat(activations);
    for (const HeadSpec& head : needs.heads) {
      const Tensor weights = draw("head/" + head.name, {width, head.outputs});
      const Tensor hidden = at::matmul(at::stack(states), head.detached ? theta_.detach() : theta_);
      const Tensor values = at::matmul(hidden, weights);
      const Tensor at_rows = head.rows == HeadRows::scored_tokens ? values
                             : head.rows == HeadRows::before_answer
                                 ? values.index_select(0, at::tensor(first, at::kLong))
                                 : values.index_select(0, at::tensor(last, at::kLong));
      responses.heads[head.name] = head.kind == HeadKind::layer_mask ? at::relu(at_rows + 0.5) : at_rows;
    }
    return responses;
  }

 private:
  // Outputs of a score head that are linear in the parameters.
  Responses score_ends(const Batch& batch, const RewardNeeds& needs) const {
    Responses responses = batch.skeleton(theta_);
    const auto outputs = static_cast<std::int64_t>(needs.outputs.size());
    std::vector<Tensor> rows, states;
    for (const PlannedResponse& planned : batch.responses) {
      const std::string key = std::to_string(planned.record) + "/" + std::to_string(planned.completion);
      states.push_back(at::matmul(draw("end/" + key, {width, parameters}), theta_));
      const std::string sized = std::to_string(outputs) + "/" + key;
      rows.push_back(draw("output base/" + sized, {outputs}) +
                     at::matmul(draw("output/" + sized, {outputs, parameters}), theta_));
    }
    responses.outputs = scale_ * at::stack(rows);
    responses.states = at::stack(states);
    return responses;
  }

  // A pure function, drawn once: the suite asks for the same tensors thousands of times.
  static Tensor draw(const std::string& stream, const std::vector<std::int64_t>& shape) {
    static std::map<std::string, Tensor> drawn;
    const auto [known, added] = drawn.try_emplace(stream);
    if (!added) return known->second;
    Random random(5, stream);
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    std::vector<double> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(0.7 * random.normal());
    return known->second = at::tensor(values, at::kDouble).view(shape);
  }

  double scale_;
  Tensor theta_;
};

// The numbers that the objectives' label columns hold for the first four completions: the score, or what a few people
// who rated around it come to.
inline void fill_labels(const std::vector<LabelColumn>& columns, std::vector<TokenRecord>& records) {
  for (TokenRecord& record : records) {
    for (std::size_t i = 0; i < 4 && !columns.empty(); ++i) {
      const double score = record.labels[i].score;
      for (const LabelColumn& column : columns) {
        const double above = score - std::floor(score), level = column.level.value_or(0);
        const double share = level == std::floor(score) ? 1 - above : level == std::floor(score) + 1 ? above : 0;
        record.labels[i].columns.push_back(column.level ? share : score);
      }
    }
  }
}

struct ObjectiveStep {
  double loss = 0;
  Tensor gradient = {};  // of the policy's parameters
  std::map<std::string, double> metrics = {};
  std::vector<Term> terms = {};
};

// One optimiser step over the records named by `order`, `micro` of them in a micro-batch (0: all). Statistics, which no
// gradient flows through, are gathered from `gathered` where given.
inline ObjectiveStep step_of(const ObjectiveList& objectives, std::vector<TokenRecord> records, SequencePolicy& policy,
                             const std::vector<std::int64_t>& order, std::int64_t micro = 0,
                             SequencePolicy* gathered = nullptr) {
  const Needs needs = needs_of(objectives);
  fill_labels(needs.labels, records);
  const auto size = static_cast<std::int64_t>(order.size());
  if (micro <= 0) micro = size;
  std::vector<Batch> batches;
  Counts counts;
  for (std::int64_t begin = 0; begin < size; begin += micro) {
    Layout layout;
    for (std::int64_t i = begin; i < std::min(size, begin + micro); ++i) {
      const std::int64_t index = order[static_cast<std::size_t>(i)];
      RecordView view = records[static_cast<std::size_t>(index)].view(index);
      view.probe_prompt = (index + 1) % static_cast<std::int64_t>(records.size());
      lay_out(objectives, view, layout);
    }
    batches.push_back(layout.take());
    counts.add(batches.back());
  }
  std::vector<Statistics> statistics(objectives.size());
  if (needs.statistics) {
    const at::AutoGradMode no_gradient(false);
    for (const Batch& batch : batches) {
      const Responses responses = (gathered != nullptr ? *gathered : policy).score(batch, needs);
      for (std::size_t i = 0; i < objectives.size(); ++i) statistics[i].merge(objectives[i]->gather(responses));
    }
    for (std::size_t i = 0; i < objectives.size(); ++i) statistics[i] = objectives[i]->update({}, statistics[i]);
  }
  ObjectiveStep result;
  Metrics metrics;
  policy.theta().mutable_grad() = Tensor();
  for (const Batch& batch : batches) {
    const Loss loss = compute(objectives, policy.score(batch, needs), statistics, {});
    const Tensor value = total(loss, counts);
    if (value.requires_grad()) value.backward();
    result.loss += value.item<double>();
    metrics.merge(loss.metrics);
    result.terms.insert(result.terms.end(), loss.terms.begin(), loss.terms.end());
  }
  result.gradient = policy.theta().grad().defined() ? policy.theta().grad().clone() : at::zeros({policy.parameters});
  result.metrics = metrics.read();
  return result;
}

}  // namespace attune::testing
