// The loop over blocks, which exists once for all families: what a pass needs, and hidden states of chosen rows.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "attune/model/family.h"
#include "attune/model/token_forest.h"

namespace attune {

// Rows of a pass whose sequence, or the longest sequence of whose tree, has this length.
struct SequenceRows {
  std::int64_t begin = 0, end = 0, length = 0;
};
struct SequencePositions {
  Tensor at = {};                            // [T] int64
  std::vector<SequenceRows> sequences = {};  // in order, all rows
};
SequencePositions positions_of(const TokenForest& forest);

// The forest itself, or, where a scaling makes sequences of one tree turn by different frequencies, its sequences apart
// (unshared): a prompt cannot be turned for both.
TokenForest with_equal_rotation(const TokenForest& forest, const ModelConfig& config);

// The angles of a pass, of the element type and on the device of `options`. Where a scaling depends on the length of a
// sequence, each row's own counts and nothing else in the batch matters.
void set_rotary(BlockContext& context, const ModelConfig& config, const SequencePositions& positions,
                const at::TensorOptions& options);

// The rows of segments whose adapter is on, neighbours joined.
TokenRanges adapted_rows(const TokenForest& forest);

// Indices are in the CPU's memory, where they are made; the pass moves them to the model's device.
struct TrunkInput {
  Tensor ids;        // [T]
  Tensor positions;  // [T]
  Tensor rows;       // [n] int64: the rows wanted; undefined: all
  std::shared_ptr<const BlockContext> context;
  Tensor embedding = {};   // [V, d], looked up where the adapter is on; undefined: the model's own everywhere
  bool recompute = false;  // keep only the inputs of each block for the backward pass
  bool states = false;     // give the stream after every block
  bool routing = false;    // give what the routers of experts chose
};

struct TrunkOutput {
  Tensor hidden;                    // [n, d] after the final norm
  std::vector<Tensor> states = {};  // [n, d] after every block, at the rows wanted
  Tensor routing = {};              // [2, experts], Residual::routing summed over all blocks and rows of the pass
};

TrunkOutput run_trunk(const Family& family, std::int64_t layers, const TrunkInput& input);

}  // namespace attune
