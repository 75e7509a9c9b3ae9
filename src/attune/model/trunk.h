// The loop over blocks, which exists once for all families: what a pass needs, and hidden states of chosen rows.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "attune/model/family.h"
#include "attune/model/token_forest.h"

namespace attune {

// Cosines and sines of the rotary angles at positions [T] int64, [T, e/2] each; undefined without rotary positions.
void set_rotary(BlockContext& context, const ModelConfig& config, const Family& family, const Tensor& positions,
                at::ScalarType dtype);

// The rows of segments whose adapter is on, neighbours joined.
TokenRanges adapted_rows(const TokenForest& forest);

struct TrunkInput {
  Tensor ids;        // [T]
  Tensor positions;  // [T]
  Tensor rows;       // [n] int64: the rows wanted; undefined: all
  std::shared_ptr<const BlockContext> context;
  bool recompute = false;                 // keep only the inputs of each block for the backward pass
  std::vector<Tensor>* states = nullptr;  // gets the stream after every block, [n, d] at the rows wanted
};

// Hidden states after the final norm, [n, d].
Tensor run_trunk(const Family& family, std::int64_t layers, const TrunkInput& input);

}  // namespace attune
