#include "attune/policy/language.h"

#include <ATen/ops/index_add.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "attune/base/errors.h"
#include "attune/model/classifier.h"
#include "attune/tensor/device.h"

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

// [reads] on the device.
Tensor response_index(const TokenForest& forest, at::Device device) {
  std::vector<std::int64_t> index;
  index.reserve(forest.reads.size());
  for (const Read& read : forest.reads) index.push_back(read.response);
  return moved(at::tensor(index, at::kLong), device);
}

Tensor sum_by_response(const Tensor& token_logps, const Tensor& index, std::int64_t responses) {
  return at::zeros({responses}, token_logps.options()).index_add(0, index, token_logps);
}

// Index of the completion's last scored token; of its last token where none is.
std::int64_t last_scored(const TokenCompletion& completion) {
  for (std::size_t i = completion.scored.size(); i-- > 0;) {
    if (completion.scored[i] != 0) return static_cast<std::int64_t>(i);
  }
  return std::ssize(completion.ids) - 1;
}

// Marks the state that a sequence classifier scores.
void mark_end(ForestBuilder& builder, std::int32_t prompt, std::span<const std::int32_t> prompt_ids,
              std::int32_t segment, std::span<const std::int32_t> ids, std::int64_t pad_token) {
  const std::int64_t last = scored_token(ids, pad_token);
  const bool in_prompt = ids[static_cast<std::size_t>(last)] == pad_token && prompt >= 0 && !prompt_ids.empty();
  if (in_prompt) {
    builder.mark(prompt, scored_token(prompt_ids, pad_token));
  } else {
    builder.mark(segment, last);
  }
}

// Of each response the index of its first read, [R] on the device.
Tensor first_reads(const TokenForest& forest, std::int64_t responses, at::Device device) {
  std::vector<std::int64_t> first(static_cast<std::size_t>(responses), 0);
  for (std::size_t i = forest.reads.size(); i-- > 0;) {
    first[static_cast<std::size_t>(forest.reads[i].response)] = static_cast<std::int64_t>(i);
  }
  return moved(at::tensor(first, at::kLong), device);
}

}  // namespace

TokenForest forest_of(const Batch& batch, std::span<const TokenRecord> records, std::int64_t pad_token) {
  ForestBuilder builder;
  std::map<std::int64_t, std::int32_t> prompts;  // record -> its prompt's segment
  for (std::size_t i = 0; i < batch.responses.size(); ++i) {
    const PlannedResponse& response = batch.responses[i];
    const auto& prompt = records[static_cast<std::size_t>(response.prompt)].prompt;
    const auto [known, added] = prompts.try_emplace(response.prompt, -1);
    if (added) known->second = builder.add(prompt);
    const auto& record = records[static_cast<std::size_t>(response.record)];
    const auto& completion = record.completions[static_cast<std::size_t>(response.completion)];
    const std::int32_t parent = completion.alone ? -1 : known->second;
    const std::int32_t segment = builder.add(completion.ids, parent);
    const auto index = static_cast<std::int32_t>(i);
    if (response.extent == Extent::end) {
      mark_end(builder, parent, prompt, segment, completion.ids, pad_token);
      continue;
    }
    if (response.extent == Extent::whole) {
      if (!completion.alone) builder.read(parent, 0, std::ssize(prompt), {.response = index});
      builder.read(segment, 0, std::ssize(completion.ids), {.response = index});
    } else {
      read_scored(builder, segment, completion, index);
    }
    builder.mark(segment, last_scored(completion));
  }
  return builder.build();
}

void LanguagePolicy::freeze(const std::string& role, std::shared_ptr<const LanguageModel> model) {
  frozen_[role] = std::move(model);
}

FrozenModel LanguagePolicy::frozen(const std::string& role) const {
  if (const auto found = frozen_.find(role); found != frozen_.end()) return {found->second.get(), true};
  require(role == "reference" && model_->adapter() != nullptr, "no frozen model '" + role + "' is bound");
  return {model_, false};
}

Tensor LanguagePolicy::frozen_token_logps(const std::string& role, const TokenForest& forest) const {
  const at::AutoGradMode no_gradient(false);
  const auto [model, adapted] = frozen(role);
  return model->score(adapted ? forest : without_adapter(forest)).logps;
}

// [layers, N, d] of the frozen reference.
Tensor LanguagePolicy::reference_states(const TokenForest& forest) const {
  const at::AutoGradMode no_gradient(false);
  const auto [model, adapted] = frozen("reference");
  return model->block_states(adapted ? forest : without_adapter(forest));
}

void LanguagePolicy::apply_heads(const TokenForest& forest, const ForestScores& scores, const Needs& needs,
                                 Responses& responses) const {
  if (needs.heads.empty() && !needs.activations) return;
  const auto wants_states = [](const HeadSpec& head) { return head.kind == HeadKind::layer_mask; };
  Tensor states;
  if (needs.activations || std::any_of(needs.heads.begin(), needs.heads.end(), wants_states)) {
    states = reference_states(forest);
  }
  if (needs.activations) responses.tokens.activation = states.abs().mean(2).mean(0);
  for (const HeadSpec& head : needs.heads) {
    require(model_->heads() != nullptr, "an objective's head that the model does not have");
    const Tensor input = wants_states(head)                     ? states
                         : head.rows == HeadRows::scored_tokens ? scores.hidden
                         : head.rows == HeadRows::last_token
                             ? scores.marked
                             : scores.hidden.index_select(0, first_reads(forest, responses.size(), model_->device()));
    responses.heads[head.name] = model_->heads()->apply(head, input);
  }
}

Responses LanguagePolicy::score_ends(const Batch& batch) const {
  const TokenForest forest = forest_of(batch, records_, model_->config().pad_token);
  const LabelScores scores = model_->label_scores(forest);
  Responses responses = batch.skeleton(scores.scores);
  responses.outputs = scores.scores;
  responses.states = scores.states;
  return responses;
}

Responses LanguagePolicy::score(const Batch& batch, const Needs& needs) {
  if (needs.reward) return score_ends(batch);
  const TokenForest forest = forest_of(batch, records_);
  ScoreRequest request{.vocabulary = needs.vocabulary, .hidden = !needs.heads.empty(), .marked = !needs.heads.empty()};
  for (const auto& term : needs.vocabulary) {
    for (const auto& role : term.models) request.models[role] = frozen(role);
  }
  const ForestScores scores = model_->score(forest, request);
  Responses responses = batch.skeleton(scores.logps);
  const Tensor index = response_index(forest, model_->device());
  responses.logps = sum_by_response(scores.logps, index, responses.size());
  responses.tokens = {.logps = scores.logps, .response = index, .span = index, .vocabulary = scores.vocabulary};
  for (const auto& role : needs.models) {
    ModelColumns& columns = responses.models[role];
    const auto known = batch.known_logps.find(role);
    if (known != batch.known_logps.end() && !needs.tokens) {
      columns.logps = known->second.to(scores.logps.options());
      continue;
    }
    columns.token_logps = frozen_token_logps(role, forest);
    columns.logps = sum_by_response(columns.token_logps, index, responses.size());
  }
  apply_heads(forest, scores, needs, responses);
  return responses;
}

}  // namespace attune
