// From hidden states to logits.
#pragma once

#include "attune/tensor/torch.h"

namespace attune {

// logits = scale (W h + b), then c tanh(logits / c) where there is a soft cap c (Gemma team 2024, "Gemma 2", section
// 2).
struct Head {
  Tensor weight = {};   // [V, d]
  Tensor bias = {};     // [V], may be undefined
  double scale = 1;     // of the logits
  double soft_cap = 0;  // 0: none

  Tensor logits(const Tensor& hidden) const;  // [n, d] -> [n, V]
  Head detached() const;                      // the same numbers, without gradients
};

}  // namespace attune
