// The block of GPT-2 and Llama, and of all who changed only its pieces: x + attention(norm(x)), then x +
// feed_forward(norm(x)).
#pragma once

#include <vector>

#include "attune/model/families/block_family.h"

namespace attune::families {

struct PreNormBlock {
  Norm before;
  Linear qkv, out;
  Norm after;
  FeedForward feed_forward;
  AttentionShape attention;

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const;
  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }
};

}  // namespace attune::families
