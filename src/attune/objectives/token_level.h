// What objectives on whole distributions share: divergences as vocabulary terms, and sums of token values per response.
#pragma once

#include <string>

#include "attune/model/vocabulary.h"
#include "attune/policy/responses.h"

namespace attune::objectives {

// sum_v p(v) (log p(v) - log q(v)) for log-probabilities [c, V] each -> [c]. Where p is 0 nothing is added.
Tensor kl_divergence(const Tensor& log_p, const Tensor& log_q);

// A column KL(frozen || policy) per scored token, over the whole vocabulary, named "kl/<role>".
VocabularyTerm kl_from(const std::string& role);

// values [N] per scored token -> [R] summed over each response's tokens.
Tensor sum_by_response(const Responses& responses, const Tensor& values);

}  // namespace attune::objectives
