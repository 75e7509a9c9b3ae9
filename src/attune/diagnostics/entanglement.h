// How one step on a pair moves both of its log-probabilities, to first order (Yuan et al. 2024, "A common pitfall of
// margin-based language model alignment: gradient entanglement", arXiv:2410.13828).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "attune/diagnostics/pairs.h"
#include "attune/model/language_model.h"

namespace attune::diagnostics {

// With g the gradient of log pi by the trainable weights.
struct PairGram {
  double chosen = 0, rejected = 0;  // |g_c|^2, |g_r|^2
  double inner = 0;                 // <g_c, g_r>
  double cosine() const;            // 0 where a gradient is 0
};

// The loss's gradient is -(d_c g_c - d_r g_r); both factors are 0 or more for a margin loss.
struct LossFactors {
  double chosen = 0, rejected = 0;
};

// Changes of log pi(chosen) and log pi(rejected) per unit of step size under gradient descent on the pair's loss:
// d_c |g_c|^2 - d_r <g_c, g_r> and d_c <g_c, g_r> - d_r |g_r|^2.
Sides predicted_change(const PairGram& gram, const LossFactors& factors);

// Their repair: each side's gradient divided by its norm, factors of equal size otherwise. Then the good
// regime holds whenever the cosine is below 1.
LossFactors normalised_factors(const PairGram& gram, const LossFactors& factors);

enum class Regime {
  good,       // the chosen one rises, the rejected one falls
  both_rise,  // the inner product exceeds d_r / d_c |g_r|^2 alone
  both_fall,  // it exceeds d_c / d_r |g_c|^2 alone
  still,      // neither side moves the way it should
};
std::string_view name(Regime regime);  // "good", "both-rise", "both-fall", "still"
Regime regime_of(const Sides& change);

// The gradient of the model's trainable parameters at log pi of one completion, [n]; a tensor of its own. With `token`
// at 0 or above: of that scored token's log-probability alone. The model must have require_gradients(true).
Tensor logp_gradient(LanguageModel& model, std::span<const TokenRecord> records, const PlannedResponse& response,
                     std::int64_t token = -1);

PairGram gram_of(const Tensor& chosen_gradient, const Tensor& rejected_gradient);

// <g_c,i , g_r,j> for the first tokens of both answers, at most `most` of each: row i, column j.
struct TokenGram {
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values = {};
};
TokenGram token_gram(LanguageModel& model, std::span<const TokenRecord> records, const ComparedPair& pair,
                     std::int64_t most);

}  // namespace attune::diagnostics
