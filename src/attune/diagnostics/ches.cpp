#include "attune/diagnostics/ches.h"

#include <ATen/ops/index_add.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>

#include "attune/policy/language.h"
#include "attune/tensor/device.h"

namespace attune::diagnostics {
namespace {

// The sum of the next-token distributions at these rows, [V].
Tensor distribution_sum(const Tensor& hidden, const Head& head) {
  constexpr std::int64_t chunk_rows = 256;
  Tensor sum = at::zeros({head.weight.size(0)}, head.weight.options().dtype(at::kDouble));
  for (std::int64_t begin = 0; begin < hidden.size(0); begin += chunk_rows) {
    const Tensor rows = hidden.slice(0, begin, std::min(hidden.size(0), begin + chunk_rows));
    sum += at::softmax(head.logits(rows).to(at::kDouble), 1).sum(0);
  }
  return sum;
}

// One bin's forward pass, and what each response's tokens sum to.
struct BinStates {
  Tensor hidden;    // [reads, d], on the model's device; what follows is in the CPU's memory
  Tensor response;  // [reads], which response a row belongs to
  Tensor sums;      // [R, d] double
  Tensor logps;     // [R] double
};

BinStates states_of(const LanguageModel& model, const Batch& batch, std::span<const TokenRecord> records) {
  const TokenForest forest = forest_of(batch, records);
  const ForestScores scores = model.score(forest, {.hidden = true});
  std::vector<std::int64_t> response;
  for (const Read& read : forest.reads) response.push_back(read.response);
  const auto count = static_cast<std::int64_t>(batch.responses.size());
  BinStates states{.hidden = scores.hidden, .response = at::tensor(response, at::kLong), .sums = {}, .logps = {}};
  const auto sums = [&](const Tensor& rows) {
    std::vector<std::int64_t> shape = rows.sizes().vec();
    shape[0] = count;
    return at::zeros(shape, rows.options().dtype(at::kDouble))
        .index_add(0, moved(states.response, rows.device()), rows.to(at::kDouble))
        .cpu();
  };
  states.sums = sums(scores.hidden);
  states.logps = sums(scores.logps);
  return states;
}

}  // namespace

Ches ches_of(const Tensor& chosen_sum, const Tensor& rejected_sum, const Sides& lengths) {
  const double across = (chosen_sum * rejected_sum).sum().item<double>();
  const double own = (chosen_sum * chosen_sum).sum().item<double>();
  return {.raw = across - own,
          .normalised = across / (lengths.chosen * lengths.rejected) - own / (lengths.chosen * lengths.chosen)};
}

PairStates pair_states(const LanguageModel& model, std::span<const TokenRecord> records,
                       std::span<const ComparedPair> pairs, const StateOptions& options) {
  const at::NoGradGuard no_gradient;
  const auto lengths = pair_lengths(records, pairs);
  PairStates result{.ches = std::vector<Ches>(pairs.size()), .logps = std::vector<Sides>(pairs.size())};
  double chosen_rows = 0;
  each_bin("hidden states", records, options.batch_tokens, [&](const Batch& batch) {
    const BinStates states = states_of(model, batch, records);
    std::map<std::pair<std::int64_t, std::int32_t>, std::int64_t> place;  // record and completion -> response
    for (std::size_t i = 0; i < batch.responses.size(); ++i) {
      place[{batch.responses[i].record, batch.responses[i].completion}] = static_cast<std::int64_t>(i);
    }
    std::vector<std::uint8_t> wanted(batch.responses.size(), 0);
    for (const auto& response : batch.responses) {
      if (response.completion != 0) continue;  // each record of the bin once
      const auto record = static_cast<std::size_t>(response.record);
      const auto first = std::lower_bound(pairs.begin(), pairs.end(), record,
                                          [](const ComparedPair& pair, std::size_t at) { return pair.record < at; });
      for (auto pair = first; pair != pairs.end() && pair->record == record; ++pair) {
        const auto i = static_cast<std::size_t>(pair - pairs.begin());
        const std::int64_t chosen = place.at({response.record, pair->chosen});
        const std::int64_t rejected = place.at({response.record, pair->rejected});
        result.ches[i] = ches_of(states.sums[chosen], states.sums[rejected], lengths[i]);
        result.logps[i] = {states.logps[chosen].item<double>(), states.logps[rejected].item<double>()};
        wanted[static_cast<std::size_t>(chosen)] = 1;
      }
    }
    if (!options.distribution) return;
    std::vector<std::int64_t> rows;
    const std::int64_t* owner = states.response.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < states.response.size(0); ++i) {
      if (wanted[static_cast<std::size_t>(owner[i])] != 0) rows.push_back(i);
    }
    const Tensor chosen = moved(at::tensor(rows, at::kLong), model.device());
    const Tensor sum = distribution_sum(states.hidden.index_select(0, chosen), model.head().detached()).cpu();
    result.chosen_distribution = result.chosen_distribution.defined() ? result.chosen_distribution + sum : sum;
    chosen_rows += static_cast<double>(rows.size());
  });
  if (result.chosen_distribution.defined()) result.chosen_distribution /= chosen_rows;
  return result;
}

}  // namespace attune::diagnostics
