// From a forest to the attention calls of a pass.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "attune/model/family.h"
#include "attune/model/token_forest.h"
#include "attune/tensor/soft_capped_attention.h"
#include "attune/tensor/tree_attention.h"

namespace attune {

// The calls that make up a forest's attention under a window (0: none), with what they need on the device.
AttentionPlan plan_attention(const TokenForest& forest, std::int64_t window, at::Device device = at::kCPU);

// The same for dense scores: a call a segment, onto all of its path.
std::vector<DenseCall> plan_dense_attention(const TokenForest& forest, std::int64_t window,
                                            at::Device device = at::kCPU);

// [T, T] bool: which keys each query sees, straight from the rule in token_forest.h.
Tensor visibility(const TokenForest& forest, std::int64_t window);

class ForestAttention final : public Attention {
 public:
  // `windows`: of each layer. The heads will be on the device.
  ForestAttention(const TokenForest& forest, std::vector<std::int64_t> windows, at::Device device);
  Tensor operator()(std::size_t layer, const Heads& heads, const AttentionForm& form) override;

 private:
  TokenForest forest_;
  std::vector<std::int64_t> windows_;
  at::Device device_;
  std::vector<std::shared_ptr<const AttentionPlan>> plans_;  // of each layer, shared where windows are equal
  std::map<std::int64_t, std::vector<DenseCall>> dense_;     // by window, made when a soft cap first asks
};

}  // namespace attune
