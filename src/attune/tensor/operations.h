// The fused operations of a transformer block. Each is one autograd node; its reference stands beside it in the .cpp.
// float32 and float64. T is the number of tokens, e the width of a head.
#pragma once

#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

struct NormOfSum {
  Tensor normed;  // [T, d]
  Tensor sum;     // [T, d]
};

// sum = residual + delta; normed = sum / sqrt(mean(sum^2) + epsilon) * weight (Zhang and Sennrich 2019, "Root mean
// square layer normalization"). An undefined delta counts as 0.
NormOfSum rms_norm_residual(const Tensor& residual, const Tensor& delta, const Tensor& weight, double epsilon);

struct Heads {
  Tensor queries;       // [T, heads, e]
  Tensor keys, values;  // [T, kv_heads, e]
};

// Splits the fused projection [T, (heads + 2 kv_heads) e] and rotates queries and keys by the angles whose cosines and
// sines are [T, e/2] (Su et al. 2021, "RoFormer"; halves rotate against each other as in Hugging Face's models).
// Undefined cosines: no rotation.
Heads split_heads(const Tensor& projected, std::int64_t heads, std::int64_t kv_heads, const Tensor& cosines,
                  const Tensor& sines);

// silu(gate) * up of the fused projection [T, 2f], gate first (Shazeer 2020, "GLU variants improve transformer"); [T,
// f].
Tensor swiglu(const Tensor& gate_up);

// x weight^T + bias (may be undefined). x: [T, in]; weight: [out, in].
Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias);

// Rows ids [T] (int64) of table [V, d]: [T, d].
Tensor embedding_rows(const Tensor& table, const Tensor& ids);

// Low-rank updates of one matrix (Hu et al. 2021, "LoRA"): rows [row_begin, row_end) of the output get
// scale * (x down^T) up^T. With a magnitude (Liu et al. 2024, "DoRA"), what these rows then are, bias apart, is
// multiplied by magnitude / norm, row by row.
struct LoraFactor {
  std::int64_t row_begin = 0, row_end = 0;
  Tensor down;  // [r, in], "A"
  Tensor up;    // [rows, r], "B"
  double scale = 1;
  Tensor magnitude = {};  // [rows], or undefined
  // [rows], with a magnitude: of the rows of weight + scale up down. Without gradient, as in the paper's section 4.3,
  // so it is a value that whoever changes the weights computes again (row_norms).
  Tensor norm = {};
};
using TokenRanges = std::vector<std::pair<std::int64_t, std::int64_t>>;  // [begin, end) of tokens

// x weight^T + bias (may be undefined), plus the factors on the tokens of `active` alone. x: [T, in]; weight: [out,
// in].
Tensor linear_lora(const Tensor& x, const Tensor& weight, const Tensor& bias, const std::vector<LoraFactor>& factors,
                   const TokenRanges& active);
// LoraFactor::norm of a factor of this weight.
Tensor row_norms(const Tensor& weight, const LoraFactor& factor);

}  // namespace attune
