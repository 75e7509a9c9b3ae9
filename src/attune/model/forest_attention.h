// From a forest to the attention calls of a pass.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "attune/model/family.h"
#include "attune/model/token_forest.h"
#include "attune/tensor/tree_attention.h"

namespace attune {

// The calls that make up a forest's attention under a window (0: none).
AttentionPlan plan_attention(const TokenForest& forest, std::int64_t window);

// [T, T] bool: which keys each query sees, straight from the rule in token_forest.h.
Tensor visibility(const TokenForest& forest, std::int64_t window);

class ForestAttention final : public Attention {
 public:
  // `windows`: of each layer.
  ForestAttention(const TokenForest& forest, const std::vector<std::int64_t>& windows);
  Tensor operator()(std::size_t layer, const Heads& heads, double scale) override;

 private:
  std::vector<std::shared_ptr<const AttentionPlan>> plans_;  // of each layer, shared where windows are equal
};

}  // namespace attune
