// Attention over a forest of token segments without padding, from the library's flash kernels: causal calls inside
// segments, and one call of all descendants against each ancestor, merged by their log-sum-exps. Exact (the identity of
// ring attention, Liu et al. 2023, and Hydragen, Juravsky et al. 2024), forward and backward. Off the CPU, and under a
// window, a call has dense scores instead of a flash kernel; what is merged is the same.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

// Queries [query_begin, query_end) look at keys [key_begin, key_end) of the stream.
struct AttentionCall {
  std::int64_t query_begin = 0, query_end = 0, key_begin = 0, key_end = 0;
  bool causal = false;    // query i sees keys up to its own; only for equal ranges
  bool windowed = false;  // the window hides some of these keys from some of these queries
  Tensor hidden = {};     // on the device of the pass, of calls whose scores are dense there; undefined on the CPU
};

struct AttentionPlan {
  std::vector<AttentionCall> calls;     // first one call per segment onto itself, which covers every query once
  std::vector<std::int64_t> positions;  // [T]
  std::int64_t window = 0;              // a query at position p sees keys at positions above p - window; 0: no limit
  Tensor visible;                       // [T, T] bool; defined: the dense reference runs instead of the calls
};

// [queries, keys] bool, in the CPU's memory: the keys of the call that a query does not see.
Tensor hidden_keys(const AttentionCall& call, const AttentionPlan& plan);

// queries [T, heads, e], keys and values [T, kv_heads, e] -> [T, heads, e]. Heads share keys in consecutive groups.
Tensor tree_attention(const Tensor& queries, const Tensor& keys, const Tensor& values,
                      const std::shared_ptr<const AttentionPlan>& plan, double scale);

}  // namespace attune
