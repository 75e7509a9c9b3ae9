#include "attune/tensor/soft_capped_attention.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>

#include <limits>

#include "attune/tensor/products.h"

namespace attune {
namespace {

Tensor rows_of(const Tensor& x, const DenseCall& call) {
  std::vector<Tensor> pieces;
  for (const auto& [begin, end] : call.keys) pieces.push_back(x.slice(0, begin, end));
  return pieces.size() == 1 ? pieces[0] : at::cat(pieces);
}

// [rows, kv * g, e] -> [kv, g, rows, e]
Tensor by_group(const Tensor& x, std::int64_t kv_heads) {
  return x.unflatten(1, {kv_heads, x.size(1) / kv_heads}).permute({1, 2, 0, 3});
}

}  // namespace

Tensor soft_capped_attention(const Tensor& queries, const Tensor& keys, const Tensor& values,
                             const std::vector<DenseCall>& calls, double scale, double soft_cap) {
  const std::int64_t kv_heads = keys.size(1);
  std::vector<Tensor> mixed;
  for (const DenseCall& call : calls) {
    const Tensor q = by_group(queries.slice(0, call.query_begin, call.query_end), kv_heads);
    const Tensor k = by_group(rows_of(keys, call), kv_heads), v = by_group(rows_of(values, call), kv_heads);
    const Tensor scores = at::tanh(stacked_product(q, k.transpose(2, 3)) * (scale / soft_cap)) * soft_cap;
    const Tensor seen = scores.masked_fill(call.hidden, -std::numeric_limits<double>::infinity());
    mixed.push_back(stacked_product(at::softmax(seen, -1), v).permute({2, 0, 1, 3}).flatten(1, 2));
  }
  return at::cat(mixed);
}

}  // namespace attune
