// Log-probabilities of one token a row, and their gradient, over chunks of logits.
#pragma once

#include "attune/tensor/torch.h"

namespace attune {

// Of logits [n, V]: fills lse [n] with the log-sum-exp of each row and logps [n] with the log-probability of its target
// [n] (int64).
void log_probs_of(const Tensor& logits, const Tensor& targets, const Tensor& lse, const Tensor& logps);

// Turns logits [n, V] into the gradient at them, given that of the log-probabilities, [n].
void log_prob_gradient(const Tensor& logits, const Tensor& targets, const Tensor& lse, const Tensor& gradient);

}  // namespace attune
