// Turning the heads of queries and keys by their positions' angles.
#pragma once

#include "attune/tensor/torch.h"

namespace attune {

// Which channels of a head turn against each other.
enum class RotaryPairs {
  halves,      // i and i + r/2, as in most models
  neighbours,  // 2i and 2i + 1, as in the paper (Su et al. 2021, "RoFormer") and Cohere's models
};

// x [T, h, e]: the first r channels of every head turned by the angles whose cosines and sines are [T, r/2], the others
// as they are. Undefined cosines: x itself.
Tensor rotate_heads(const Tensor& x, const Tensor& cosines, const Tensor& sines, RotaryPairs pairs);

}  // namespace attune
