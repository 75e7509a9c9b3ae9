#include "attune/policy/language.h"

#include <ATen/ops/index_add.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <utility>

#include "attune/base/errors.h"

namespace attune {
namespace {

// Adds the completion's scored runs as reads of response `index`.
void read_scored(ForestBuilder& builder, std::int32_t segment, const TokenCompletion& completion, std::int32_t index) {
  const auto size = static_cast<std::int64_t>(completion.scored.size());
  for (std::int64_t begin = 0; begin < size;) {
    std::int64_t end = begin;
    while (end < size && completion.scored[static_cast<std::size_t>(end)] != 0) ++end;
    if (end > begin) builder.read(segment, begin, end, {.response = index});
    begin = end + 1;
  }
}

Tensor response_index(const TokenForest& forest) {
  std::vector<std::int64_t> index;
  index.reserve(forest.reads.size());
  for (const Read& read : forest.reads) index.push_back(read.response);
  return at::tensor(index, at::kLong);
}

Tensor sum_by_response(const Tensor& token_logps, const Tensor& index, std::int64_t responses) {
  return at::zeros({responses}, token_logps.options()).index_add(0, index, token_logps);
}

}  // namespace

TokenForest forest_of(const Batch& batch, std::span<const TokenRecord> records) {
  ForestBuilder builder;
  std::map<std::int64_t, std::int32_t> prompts;  // record -> its prompt's segment
  for (std::size_t i = 0; i < batch.responses.size(); ++i) {
    const PlannedResponse& response = batch.responses[i];
    const auto [known, added] = prompts.try_emplace(response.prompt, -1);
    if (added) known->second = builder.add(records[static_cast<std::size_t>(response.prompt)].prompt);
    const auto& record = records[static_cast<std::size_t>(response.record)];
    const auto& completion = record.completions[static_cast<std::size_t>(response.completion)];
    const std::int32_t segment = builder.add(completion.ids, known->second);
    read_scored(builder, segment, completion, static_cast<std::int32_t>(i));
  }
  return builder.build();
}

void LanguagePolicy::freeze(const std::string& role, std::shared_ptr<const LanguageModel> model) {
  frozen_[role] = std::move(model);
}

Tensor LanguagePolicy::frozen_token_logps(const std::string& role, const TokenForest& forest) const {
  const at::AutoGradMode no_gradient(false);
  if (const auto found = frozen_.find(role); found != frozen_.end()) return found->second->score(forest).logps;
  require(role == "reference" && model_->adapter() != nullptr, "no frozen model '" + role + "' is bound");
  return model_->score(without_adapter(forest)).logps;
}

Responses LanguagePolicy::score(const Batch& batch, const Needs& needs) {
  const TokenForest forest = forest_of(batch, records_);
  ScoreRequest request{.vocabulary = needs.vocabulary, .hidden = needs.hidden};
  for (const auto& term : needs.vocabulary) {
    for (const auto& role : term.models) {
      const auto found = frozen_.find(role);
      request.models[role] =
          found != frozen_.end() ? FrozenModel{found->second.get(), true} : FrozenModel{model_, false};
    }
  }
  const ForestScores scores = model_->score(forest, request);
  Responses responses = batch.skeleton(scores.logps);
  const Tensor index = response_index(forest);
  responses.logps = sum_by_response(scores.logps, index, responses.size());
  responses.tokens = {.logps = scores.logps, .response = index, .span = index, .vocabulary = scores.vocabulary};
  for (const auto& role : needs.models) {
    ModelColumns& columns = responses.models[role];
    const auto known = batch.known_logps.find(role);
    if (known != batch.known_logps.end() && !needs.tokens) {
      columns.logps = known->second.to(scores.logps.scalar_type());
      continue;
    }
    columns.token_logps = frozen_token_logps(role, forest);
    columns.logps = sum_by_response(columns.token_logps, index, responses.size());
  }
  return responses;
}

}  // namespace attune
