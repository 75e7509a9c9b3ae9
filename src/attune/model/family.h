// A family supplies pieces: embedding, block, final norm, head. The trunk owns the loop over them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/model/head.h"
#include "attune/model/model_config.h"
#include "attune/tensor/operations.h"
#include "attune/tensor/parameters.h"
#include "attune/tensor/torch.h"

namespace attune {

// A matrix bound to its leaf of the parameters, with the low-rank updates of an adapter.
struct Linear {
  struct Module {  // one nn.Linear of the original model: rows of the fused matrix
    std::string path = {};
    std::int64_t row_begin = 0, row_end = 0;
    bool transposed = false;  // GPT-2's Conv1D
  };
  Tensor weight;  // [out, in]
  Tensor bias;    // [out], may be undefined
  std::vector<Module> modules = {};
  std::vector<LoraFactor> factors = {};

  Tensor operator()(const Tensor& x, const TokenRanges& adapted) const {
    return linear_lora(x, weight, bias, factors, adapted);
  }
};

// The residual stream between blocks: `delta` (may be undefined) is still to be added to `sum`, by the next norm.
struct Residual {
  Tensor sum;    // [T, d]
  Tensor delta;  // [T, d]
  // Of a block with experts, [2, experts]: how often the router chose each (no gradient), and the sum of the
  // probabilities that it gave each. Undefined: none.
  Tensor routing = {};
};

// score = scale q.k, then c tanh(score / c) where there is a soft cap c.
struct AttentionForm {
  double scale = 1;
  double soft_cap = 0;  // 0: none
};

// How queries find their keys: over a forest, or over a cache while decoding.
class Attention {
 public:
  virtual ~Attention() = default;
  // queries [T, heads, e], keys and values [T, kv_heads, e] of this pass -> [T, heads, e]
  virtual Tensor operator()(std::size_t layer, const Heads& heads, const AttentionForm& form) = 0;
};

// Cosines and sines of the rotary angles, [T, r/2] each; undefined without rotary positions.
struct Angles {
  Tensor cosines, sines;
};

// What all blocks of one pass share. Recomputed blocks keep it until the backward pass.
struct BlockContext {
  std::shared_ptr<Attention> attention;
  Angles angles;
  Angles local_angles;  // of layers with a window, where the config gives these a rotation of their own
  TokenRanges adapted;  // the rows on which the adapter is on
  // The last block of a pass: behind the attention only these rows go on, [n] int64. Undefined: all.
  Tensor rows = {};
  TokenRanges adapted_rows = {};  // the places among `rows` on which the adapter is on

  // What goes on behind the attention, of any [T, ...].
  Tensor kept(const Tensor& x) const { return rows.defined() ? x.index_select(0, rows) : x; }
  const TokenRanges& kept_adapted() const { return rows.defined() ? adapted_rows : adapted; }
};

class Family {
 public:
  virtual ~Family() = default;
  // [T], [T] -> [T, d], of the model's own embedding or of another `table` [V, d].
  virtual Tensor embed(const Tensor& ids, const Tensor& positions, const Tensor& table) const = 0;
  // [T, d] to [T, d], or to the rows that the context keeps.
  virtual Residual block(std::size_t layer, const Residual& x, const BlockContext& context) const = 0;
  virtual Tensor norm(const Residual& x) const = 0;  // [n, d]: any rows
  virtual const Head& head() const = 0;
  // The matrices of the blocks that adapters go to, in storage order, as many a block where all blocks are alike.
  virtual std::vector<Linear*> linears() = 0;
  std::vector<const Linear*> linears() const {
    const auto all = const_cast<Family*>(this)->linears();
    return {all.begin(), all.end()};
  }
  // The modules an adapter goes to when its config names none (PEFT's defaults).
  virtual std::vector<std::string> default_targets() const = 0;
  // The names of the modules on both sides of the blocks; a tied head has a name, but no weight of its own.
  virtual std::string embedding_path() const = 0;
  virtual std::string head_path() const = 0;
  virtual bool uses_rotary() const { return true; }
};

}  // namespace attune
