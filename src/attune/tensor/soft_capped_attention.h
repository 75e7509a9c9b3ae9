// Attention whose scores are bent by a soft cap before the softmax, which no flash kernel does: dense scores, segment
// by segment, as plain operations.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

// Queries [query_begin, query_end) look at the keys of these ranges. Every query of a pass is in one call.
struct DenseCall {
  std::int64_t query_begin = 0, query_end = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> keys = {};  // [begin, end) of the stream
  Tensor hidden = {};                                            // [queries, keys] bool: what a query does not see
};

// softmax(c tanh(scale q.k / c)) v with the soft cap c > 0. queries [T, heads, e], keys and values [T, kv_heads, e] ->
// [T, heads, e]; `calls` in order of their queries.
Tensor soft_capped_attention(const Tensor& queries, const Tensor& keys, const Tensor& values,
                             const std::vector<DenseCall>& calls, double scale, double soft_cap);

}  // namespace attune
