// What blocks are made of. A family's file composes these; each piece is one line of a paper's equations.
#pragma once

#include <cstdint>
#include <vector>

#include "attune/model/family.h"
#include "attune/tensor/rotary.h"

namespace attune::families {

enum class NormKind {
  rms,           // x / sqrt(mean(x^2) + epsilon) * w (Zhang and Sennrich 2019)
  rms_from_one,  // the same times 1 + w (Gemma)
  layer,         // (x - mean) / sqrt(variance + epsilon) * w + b (Ba et al. 2016); b may be missing
};

struct Norm {
  NormKind kind = NormKind::rms;
  Tensor weight, bias;
  double epsilon = 1e-5;

  Tensor operator()(const Tensor& x) const;       // over the last dimension
  NormOfSum operator()(const Residual& x) const;  // adds what the stream still owes, [T, d]
};

Tensor activate(Activation activation, const Tensor& x);
// act(gate) * up of the fused projection [T, 2f], gate first.
Tensor activate_gated(Activation activation, const Tensor& gate_up);

// down(act(up x)), or with a gate down(act(gate x) * up x): then `up` holds both, gate first.
struct FeedForward {
  Linear up, down;
  Activation activation = Activation::silu;
  bool gated = false;

  Tensor operator()(const Tensor& x, const TokenRanges& adapted) const;
};

// The heads of an attention and its scores.
struct AttentionShape {
  std::int64_t heads = 0, kv_heads = 0;
  AttentionForm form = {};

  // Projections [T, (heads + 2 kv_heads) e] with all queries first, then keys, then values, turned by the angles.
  Heads split(const Tensor& projected, const Angles& angles) const;
  // The same without positions.
  Heads split(const Tensor& projected) const { return split_heads(projected, heads, kv_heads, {}, {}); }
  // Projections that hold, for each key head, its queries, its key and its value (GPT-NeoX, Falcon).
  Heads split_grouped(const Tensor& projected) const;
};

Heads rotate(const Heads& heads, const Angles& angles, RotaryPairs pairs = RotaryPairs::halves);
// Queries and keys normalised: head by head, or all heads of a token as one vector.
Heads norm_each_head(const Heads& heads, const Norm& queries, const Norm& keys);
Heads norm_all_heads(const Heads& heads, const Norm& queries, const Norm& keys);

// Attention of this pass, at the rows that go on: [n, heads e].
Tensor attend(const BlockContext& context, std::size_t layer, const Heads& heads, const AttentionForm& form);

}  // namespace attune::families
