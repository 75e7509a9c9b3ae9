#include "attune/model/forest_attention.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

#include "attune/tensor/device.h"
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

AttentionPlan plan_attention(const TokenForest& forest, std::int64_t window, at::Device device) {
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
  if (device.is_cpu()) return plan;
  for (AttentionCall& call : plan.calls) {
    if (call.causal || call.windowed) call.hidden = moved(hidden_keys(call, plan), device);
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

std::vector<DenseCall> plan_dense_attention(const TokenForest& forest, std::int64_t window, at::Device device) {
  const std::int64_t* positions = forest.positions.const_data_ptr<std::int64_t>();
  std::vector<DenseCall> calls;
  for (const Segment& segment : forest.segments) {
    DenseCall call{.query_begin = segment.begin, .query_end = segment.end};
    std::vector<std::int64_t> keys;
    for (const Segment* at = &segment; at != nullptr;
         at = at->parent >= 0 ? &forest.segments[index(at->parent)] : nullptr) {
      call.keys.emplace_back(at->begin, at->end);
      for (std::int64_t key = at->begin; key < at->end; ++key) keys.push_back(key);
    }
    const auto columns = static_cast<std::int64_t>(keys.size());
    call.hidden = at::empty({call.query_end - call.query_begin, columns}, at::TensorOptions(at::kBool));
    bool* hidden = call.hidden.mutable_data_ptr<bool>();
    for (std::int64_t query = segment.begin; query < segment.end; ++query) {
      for (const std::int64_t key : keys) {
        const std::int64_t distance = positions[query] - positions[key];
        *hidden++ = (window > 0 && distance >= window) || (segment.mask == Mask::causal && distance < 0);
      }
    }
    call.hidden = moved(call.hidden, device);
    calls.push_back(std::move(call));
  }
  return calls;
}

ForestAttention::ForestAttention(const TokenForest& forest, std::vector<std::int64_t> windows, at::Device device)
    : forest_(forest), windows_(std::move(windows)), device_(device) {
  std::map<std::int64_t, std::shared_ptr<const AttentionPlan>> made;
  for (const std::int64_t window : windows_) {
    auto& plan = made[window];
    if (plan == nullptr) {
      AttentionPlan fresh = plan_attention(forest, window, device);
      if (reference_operations()) fresh.visible = moved(visibility(forest, window), device);
      plan = std::make_shared<const AttentionPlan>(std::move(fresh));
    }
    plans_.push_back(plan);
  }
}

Tensor ForestAttention::operator()(std::size_t layer, const Heads& heads, const AttentionForm& form) {
  if (form.soft_cap == 0) {
    return tree_attention(heads.queries, heads.keys, heads.values, plans_[layer], form.scale);
  }
  const Tensor& visible = plans_[layer]->visible;
  std::vector<DenseCall>& calls = dense_[windows_[layer]];
  if (calls.empty() && visible.defined()) {
    calls.push_back({0, forest_.tokens(), {{0, forest_.tokens()}}, visible.logical_not()});
  } else if (calls.empty()) {
    calls = plan_dense_attention(forest_, windows_[layer], device_);
  }
  return soft_capped_attention(heads.queries, heads.keys, heads.values, calls, form.scale, form.soft_cap);
}

}  // namespace attune
