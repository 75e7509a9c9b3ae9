#include "attune/policy/tabular.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/index.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include <utility>

#include "attune/base/errors.h"

namespace attune {

TabularPolicy::TabularPolicy(Tensor logits) : logits_(logits.detach().clone()) {
  logits_.set_requires_grad(true);
  freeze("reference", logits_);
}

void TabularPolicy::freeze(const std::string& role, Tensor logits) { frozen_[role] = logits.detach().clone(); }

Responses TabularPolicy::score(const Batch& batch, const Needs& needs) {
  Responses responses = batch.skeleton(logits_);
  std::vector<std::int64_t> prompts, answers;
  for (const auto& planned : batch.responses) {
    prompts.push_back(planned.prompt);
    answers.push_back(planned.completion);
  }
  const auto indices = at::TensorOptions(at::kLong).device(logits_.device());
  const Tensor x = at::tensor(prompts, indices), y = at::tensor(answers, indices);
  const auto scored = [&](const Tensor& logits) { return at::log_softmax(logits, -1).index({x, y}); };
  responses.logps = scored(logits_);
  for (const auto& role : needs.models) {
    const auto frozen = frozen_.find(role);
    require(frozen != frozen_.end(), "a tabular policy without the model '" + role + "'");
    responses.models[role].logps = scored(frozen->second);
    responses.models[role].token_logps = responses.models[role].logps;
  }
  responses.tokens.logps = responses.logps;
  responses.tokens.response = at::arange(responses.size(), indices);
  responses.tokens.span = responses.tokens.response;
  for (const auto& term : needs.vocabulary) {
    VocabularyChunk chunk{logits_.index({x}), y, {}};
    for (const auto& role : term.models) chunk.model_logits[role] = frozen_.at(role).index({x});
    responses.tokens.vocabulary[term.name] = term.reduce(chunk);
  }
  return responses;
}

Tensor TabularPolicy::log_probabilities() const { return at::log_softmax(logits_.detach(), -1); }
Tensor TabularPolicy::log_probabilities(const std::string& role) const { return at::log_softmax(frozen_.at(role), -1); }

}  // namespace attune
