// Pairs with given log-probabilities, as the Responses that an objective sees: for tables and contract tests.
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <functional>
#include <vector>

#include "attune/objectives/objective.h"

namespace attune::testing {

struct PairTable {
  std::vector<double> chosen = {}, rejected = {};                      // log pi
  std::vector<double> chosen_reference = {}, rejected_reference = {};  // log reference; empty: all 0
  std::vector<std::int64_t> chosen_tokens = {}, rejected_tokens = {};  // empty: all 5
  double weight = 1;                                                   // of every pair
  std::vector<double> margins = {}, probabilities = {};                // empty: 0 and 1
  std::vector<double> chosen_scores = {}, rejected_scores = {};        // the data's; empty: none
  double fraction = 0;                                                 // of the run

  std::int64_t size() const { return static_cast<std::int64_t>(chosen.size()); }

  // One pair a record, pairs [begin, end).
  Batch batch(const ObjectiveList& objectives, std::int64_t begin, std::int64_t end) const {
    Layout layout;
    for (std::int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::vector<std::int64_t> tokens{chosen_tokens.empty() ? 5 : chosen_tokens[at],
                                             rejected_tokens.empty() ? 5 : rejected_tokens[at]};
      const std::vector<RecordView::Preference> preferences{
          {.chosen = 0,
           .rejected = 1,
           .margin = margins.empty() ? 0 : margins[at],
           .weight = weight,
           .probability = probabilities.empty() ? 1 : probabilities[at]}};
      std::vector<CompletionLabels> labels;
      if (!chosen_scores.empty()) labels = {{.score = chosen_scores[at]}, {.score = rejected_scores[at]}};
      lay_out(objectives, {.index = i, .scored_tokens = tokens, .preferences = preferences, .labels = labels}, layout);
    }
    return layout.take();
  }

  // The leaf [2, P] that holds both sides' log-probabilities: row 0 chosen, row 1 rejected.
  Tensor leaf() const {
    Tensor both = at::cat({at::tensor(chosen, at::kDouble), at::tensor(rejected, at::kDouble)}).view({2, -1}).clone();
    return both.set_requires_grad(true);
  }

  Responses responses(const Batch& batch, const Tensor& leaf) const {
    Responses result = batch.skeleton(leaf);
    std::vector<std::int64_t> index;
    std::vector<double> reference;
    for (const auto& response : batch.responses) {
      const bool first = response.completion == 0;
      index.push_back(response.record + (first ? 0 : size()));
      const auto& column = first ? chosen_reference : rejected_reference;
      reference.push_back(column.empty() ? 0 : column[static_cast<std::size_t>(response.record)]);
    }
    result.logps = leaf.view({-1}).index_select(0, at::tensor(index, at::kLong));
    result.models["reference"].logps = at::tensor(reference, at::kDouble);
    return result;
  }

  // The loss of one optimiser step whose micro-batches hold `micro` pairs each (0: all), and the gradient [2, P].
  struct Step {
    double loss = 0;
    Tensor gradient;
    std::map<std::string, double> metrics = {};
  };
  Step step(const ObjectiveList& objectives, std::int64_t micro = 0) const {
    const Tensor both = leaf();
    std::vector<Batch> batches;
    Counts counts;
    for (std::int64_t begin = 0; begin<size(); begin += micro> 0 ? micro : size()) {
      batches.push_back(batch(objectives, begin, std::min(size(), begin + (micro > 0 ? micro : size()))));
      counts.add(batches.back());
    }
    std::vector<Statistics> statistics(objectives.size());
    for (const Batch& one : batches) {
      for (std::size_t i = 0; i < objectives.size(); ++i) {
        statistics[i].merge(objectives[i]->gather(responses(one, both.detach())));
      }
    }
    Step result;
    Metrics metrics;
    for (const Batch& one : batches) {
      const Loss loss = compute(objectives, responses(one, both), statistics, {.fraction = fraction});
      const Tensor value = total(loss, counts);
      value.backward();
      result.loss += value.item<double>();
      metrics.merge(loss.metrics);
    }
    result.gradient = both.grad();
    result.metrics = metrics.read();
    return result;
  }
};

// d f / d leaf by central differences, in double; f is evaluated twice per element.
inline Tensor finite_differences(const Tensor& leaf, const std::function<double(const Tensor&)>& f, double h = 1e-5) {
  Tensor gradient = at::zeros_like(leaf);
  for (std::int64_t i = 0; i < leaf.numel(); ++i) {
    Tensor moved = leaf.detach().clone();
    double* element = moved.data_ptr<double>() + i;
    const double centre = *element;
    const double step = h * std::max(1.0, std::abs(centre));
    *element = centre + step;
    const double up = f(moved);
    *element = centre - step;
    const double down = f(moved);
    gradient.data_ptr<double>()[i] = (up - down) / (2 * step);
  }
  return gradient;
}

}  // namespace attune::testing
