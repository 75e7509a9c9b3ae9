#include "attune/model/forest_attention.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "attune/tensor/reference.h"

namespace attune {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

// The row after the last descendant of each segment.
std::vector<std::int64_t> subtree_ends(const TokenForest& forest) {
  std::vector<std::int64_t> ends;
  for (const Segment& segment : forest.segments) ends.push_back(segment.end);
  for (std::size_t i = ends.size(); i-- > 0;) {
    const std::int32_t parent = forest.segments[i].parent;
    if (parent >= 0) ends[index(parent)] = std::max(ends[index(parent)], ends[i]);
  }
  return ends;
}

}  // namespace

AttentionPlan plan_attention(const TokenForest& forest, std::int64_t window) {
  AttentionPlan plan;
  plan.window = window;
  const std::int64_t* positions = forest.positions.const_data_ptr<std::int64_t>();
  plan.positions.assign(positions, positions + forest.tokens());
  for (const Segment& segment : forest.segments) {
    plan.calls.push_back({segment.begin, segment.end, segment.begin, segment.end, segment.mask == Mask::causal,
                          window > 0 && segment.end - segment.begin > window});
  }
  const std::vector<std::int64_t> ends = subtree_ends(forest);
  for (std::size_t i = 0; i < forest.segments.size(); ++i) {
    const Segment& segment = forest.segments[i];
    if (ends[i] == segment.end) continue;
    AttentionCall call{segment.end, ends[i], segment.begin, segment.end, false, false};
    for (std::int64_t row = call.query_begin; row < call.query_end && window > 0; ++row) {
      call.windowed = call.windowed || positions[row] - positions[segment.begin] >= window;
    }
    plan.calls.push_back(call);
  }
  return plan;
}

Tensor visibility(const TokenForest& forest, std::int64_t window) {
  const Tensor result = at::zeros({forest.tokens(), forest.tokens()}, at::TensorOptions(at::kBool));
  bool* visible = result.mutable_data_ptr<bool>();
  const std::int64_t* positions = forest.positions.const_data_ptr<std::int64_t>();
  for (std::size_t own = 0; own < forest.segments.size(); ++own) {
    const Segment& segment = forest.segments[own];
    for (auto other = static_cast<std::int32_t>(own); other >= 0; other = forest.segments[index(other)].parent) {
      const Segment& seen = forest.segments[index(other)];
      const bool causal = index(other) == own && segment.mask == Mask::causal;
      for (std::int64_t query = segment.begin; query < segment.end; ++query) {
        for (std::int64_t key = seen.begin; key < seen.end; ++key) {
          const std::int64_t distance = positions[query] - positions[key];
          visible[query * forest.tokens() + key] = (!causal || distance >= 0) && (window == 0 || distance < window);
        }
      }
    }
  }
  return result;
}

ForestAttention::ForestAttention(const TokenForest& forest, const std::vector<std::int64_t>& windows) {
  std::map<std::int64_t, std::shared_ptr<const AttentionPlan>> made;
  for (const std::int64_t window : windows) {
    auto& plan = made[window];
    if (plan == nullptr) {
      AttentionPlan fresh = plan_attention(forest, window);
      if (reference_operations()) fresh.visible = visibility(forest, window);
      plan = std::make_shared<const AttentionPlan>(std::move(fresh));
    }
    plans_.push_back(plan);
  }
}

Tensor ForestAttention::operator()(std::size_t layer, const Heads& heads, double scale) {
  return tree_attention(heads.queries, heads.keys, heads.values, plans_[layer], scale);
}

}  // namespace attune
