#include "attune/objectives/token_level.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>

namespace attune::objectives {

Tensor kl_divergence(const Tensor& log_p, const Tensor& log_q) {
  const Tensor p = log_p.exp();
  // Far in the tail both logarithms may be -inf, and 0 * inf is no number: such tokens have no weight.
  return (p * (log_p - log_q)).masked_fill(p == 0, 0).sum(-1);
}

VocabularyTerm kl_from(const std::string& role) {
  return {.name = "kl/" + role, .models = {role}, .reduce = [role](const VocabularyChunk& chunk) {
            return kl_divergence(at::log_softmax(chunk.model_logits.at(role), -1), at::log_softmax(chunk.logits, -1));
          }};
}

Tensor sum_by_response(const Responses& responses, const Tensor& values) {
  return at::zeros({responses.size()}, values.options()).index_add(0, responses.tokens.response, values);
}

}  // namespace attune::objectives
