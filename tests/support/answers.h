// Records of answers with given log-probabilities, thumbs, scores and probes, as the Responses that an objective sees:
// what tests/support/pairs.h is for pairs, for every other kind of data. Reads from text tables by itself.
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "attune/objectives/objective.h"

namespace attune::testing {

struct Answer {
  std::vector<double> logp = {};       // log pi: of the answer, or of each of its tokens
  std::vector<double> reference = {};  // log reference, likewise; empty: 0
  std::int64_t tokens = 0;             // 0: as many as logp has
  std::optional<double> score = {};
  int thumb = 0;
  std::vector<double> probe = {};  // log pi and log reference after another prompt; empty: no probe
  double weight = 1;
  std::optional<double> behaviour = {};
  double value = 0;                           // of every head
  std::vector<double> gradient = {};          // expected, of each logp; empty: not compared
  std::optional<double> value_gradient = {};  // expected

  void describe(Fields& fields) {
    fields("logp", logp, "").required();
    fields("reference", reference, "");
    fields("tokens", tokens, "");
    fields("score", score, "");
    fields("thumb", thumb, "");
    fields("probe", probe, "");
    fields("weight", weight, "");
    fields("behaviour", behaviour, "");
    fields("value", value, "");
    fields("gradient", gradient, "");
    fields("value_gradient", value_gradient, "");
  }
  std::int64_t length() const { return tokens > 0 ? tokens : std::ssize(logp); }
};

struct AnswerPair {
  int chosen = 0, rejected = 1;
  double weight = 1;
  void describe(Fields& fields) {
    fields("chosen", chosen, "");
    fields("rejected", rejected, "");
    fields("weight", weight, "");
  }
};

struct AnswerRecord {
  std::vector<Answer> answers = {};
  std::vector<AnswerPair> pairs = {};
  void describe(Fields& fields) {
    fields("answers", answers, "").required();
    fields("pairs", pairs, "");
  }
};

class AnswerTable {
 public:
  explicit AnswerTable(std::vector<AnswerRecord> records) : records_(std::move(records)) {
    for (const auto& record : records_) {
      for (const auto& answer : record.answers) answers_.push_back(&answer);
    }
  }
  AnswerTable(const AnswerTable&) = delete;
  AnswerTable& operator=(const AnswerTable&) = delete;

  std::int64_t size() const { return std::ssize(records_); }
  const std::vector<const Answer*>& answers() const { return answers_; }

  // The leaves: every logp of every answer in order [N], the probes' [A], the heads' values [A].
  struct Leaves {
    Tensor logps, probes, values;
  };
  Leaves leaves() const {
    std::vector<double> logps, probes, values;
    for (const Answer* answer : answers_) {
      logps.insert(logps.end(), answer->logp.begin(), answer->logp.end());
      probes.push_back(answer->probe.empty() ? 0 : answer->probe[0]);
      values.push_back(answer->value);
    }
    const auto leaf = [](const std::vector<double>& column) {
      return at::tensor(column, at::kDouble).set_requires_grad(true);
    };
    return {leaf(logps), leaf(probes), leaf(values)};
  }

  // Records [begin, end) as one micro-batch.
  Batch batch(const ObjectiveList& objectives, std::int64_t begin, std::int64_t end) const {
    Layout layout;
    for (std::int64_t i = begin; i < end; ++i) {
      const AnswerRecord& record = records_[static_cast<std::size_t>(i)];
      std::vector<std::int64_t> tokens;
      std::vector<std::int8_t> thumbs;
      std::vector<CompletionLabels> labels;
      bool probed = false;
      for (const Answer& answer : record.answers) {
        tokens.push_back(answer.length());
        thumbs.push_back(static_cast<std::int8_t>(answer.thumb));
        labels.push_back({.score = answer.score.value_or(none),
                          .weight = answer.weight,
                          .behaviour_logp = answer.behaviour.value_or(none)});
        probed = probed || !answer.probe.empty();
      }
      std::vector<RecordView::Preference> preferences;
      for (const auto& pair : record.pairs) {
        preferences.push_back({.chosen = pair.chosen, .rejected = pair.rejected, .weight = pair.weight});
      }
      lay_out(objectives,
              {.index = i,
               .scored_tokens = tokens,
               .sequence_tokens = tokens,
               .preferences = preferences,
               .labels = labels,
               .thumbs = thumbs,
               .probe_prompt = probed ? (i + 1) % std::max<std::int64_t>(2, size()) : -1},
              layout);
    }
    return layout.take();
  }

  Responses responses(const Batch& batch, const Needs& needs, const Leaves& leaves) const {
    Responses result = batch.skeleton(leaves.logps);
    std::vector<Tensor> logps, values, tokens, reference_tokens;
    std::vector<double> reference;
    std::vector<std::int64_t> owner;
    for (const auto& planned : batch.responses) {
      const auto [answer, place, first] = find(planned);
      const auto response = std::ssize(logps);
      const bool probe = planned.role == ResponseRole::kl_probe;
      const Tensor own = probe ? leaves.probes.slice(0, place, place + 1)
                               : leaves.logps.slice(0, first, first + std::ssize(answer->logp));
      const auto& frozen = answer->reference;
      const Tensor other = probe            ? at::tensor({answer->probe.at(1)}, at::kDouble)
                           : frozen.empty() ? at::zeros(own.sizes(), at::kDouble)
                                            : at::tensor(frozen, at::kDouble);
      logps.push_back(own.sum());
      reference.push_back(other.sum().item<double>());
      tokens.push_back(own);
      reference_tokens.push_back(other);
      owner.insert(owner.end(), static_cast<std::size_t>(own.size(0)), response);
      values.push_back(leaves.values.slice(0, place, place + 1));
    }
    if (logps.empty()) return result;
    result.logps = at::stack(logps);
    result.tokens.logps = at::cat(tokens);
    result.tokens.response = at::tensor(owner, at::kLong);
    result.tokens.span = result.tokens.response;
    for (const auto& role : needs.models) {
      result.models[role] = {at::tensor(reference, at::kDouble), at::cat(reference_tokens)};
    }
    for (const auto& head : needs.heads) result.heads[head.name] = at::stack(values);
    return result;
  }

  // One optimiser step whose micro-batches hold `micro` records each (0: all).
  struct Step {
    double loss = 0;
    Tensor gradient, probe_gradient, value_gradient;  // as leaves(); undefined where nothing depends on it
    std::map<std::string, double> metrics = {};
  };
  Step step(const ObjectiveList& objectives, std::int64_t micro = 0, const Progress& progress = {}) const {
    const Leaves leaf = leaves();
    const Needs needs = needs_of(objectives);
    const std::int64_t stride = micro > 0 ? micro : size();
    std::vector<Batch> batches;
    Counts counts;
    for (std::int64_t begin = 0; begin < size(); begin += stride) {
      Batch one = batch(objectives, begin, std::min(size(), begin + stride));
      if (one.responses.empty()) continue;
      counts.add(one);
      batches.push_back(std::move(one));
    }
    std::vector<Statistics> statistics(objectives.size());
    for (std::size_t i = 0; i < objectives.size(); ++i) {
      const at::AutoGradMode no_gradient(false);
      for (const Batch& one : batches) statistics[i].merge(objectives[i]->gather(responses(one, needs, leaf)));
      statistics[i] = objectives[i]->update({}, statistics[i]);
    }
    Step result;
    Metrics metrics;
    for (const Batch& one : batches) {
      const Loss loss = compute(objectives, responses(one, needs, leaf), statistics, progress);
      const Tensor value = total(loss, counts);
      value.backward();
      result.loss += value.item<double>();
      metrics.merge(loss.metrics);
    }
    result.gradient = leaf.logps.grad();
    result.probe_gradient = leaf.probes.grad();
    result.value_gradient = leaf.values.grad();
    result.metrics = metrics.read();
    return result;
  }

 private:
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  struct Found {
    const Answer* answer;
    std::int64_t place, first;  // of all answers; its first logp of all
  };
  Found find(const PlannedResponse& planned) const {
    std::int64_t place = planned.completion, first = 0;
    for (std::int64_t i = 0; i < planned.record; ++i)
      place += std::ssize(records_[static_cast<std::size_t>(i)].answers);
    for (std::int64_t i = 0; i < place; ++i) first += std::ssize(answers_[static_cast<std::size_t>(i)]->logp);
    return {answers_[static_cast<std::size_t>(place)], place, first};
  }

  std::vector<AnswerRecord> records_;
  std::vector<const Answer*> answers_;  // of all records, in order
};

}  // namespace attune::testing
