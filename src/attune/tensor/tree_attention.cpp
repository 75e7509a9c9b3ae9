#include "attune/tensor/tree_attention.h"

#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

#include "attune/base/profile.h"
#include "attune/tensor/held.h"
#include "attune/tensor/products.h"

namespace attune {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using SharedPlan = std::shared_ptr<const AttentionPlan>;

Tensor tree_attention_reference(const Tensor& queries, const Tensor& keys, const Tensor& values,
                                const AttentionPlan& plan, double scale) {
  const std::int64_t group = queries.size(1) / keys.size(1);
  const Tensor k = keys.repeat_interleave(group, 1), v = values.repeat_interleave(group, 1);
  const Tensor scores = at::einsum("qhe,khe->hqk", {queries, k}) * scale;
  const Tensor hidden = scores.masked_fill(plan.visible.logical_not(), -std::numeric_limits<double>::infinity());
  return at::einsum("hqk,khe->qhe", {at::softmax(hidden, -1), v});
}

// Query heads that share a key head become the batch: [T, kv * g, e] -> [g, kv, T, e], a view. Keys and values then
// repeat along the batch with stride 0 instead of being copied.
Tensor grouped_queries(const Tensor& x, std::int64_t kv_heads) {
  return x.view({x.size(0), kv_heads, x.size(1) / kv_heads, x.size(2)}).permute({2, 1, 0, 3});
}
Tensor grouped_keys(const Tensor& x, std::int64_t group) {
  return x.transpose(0, 1).unsqueeze(0).expand({group, x.size(1), x.size(0), x.size(2)});
}

struct Partial {
  Tensor out;  // [g, kv, queries, e]
  Tensor lse;  // [g, kv, queries]
};

struct Operands {
  Tensor q, k, v;
  Operands of(const AttentionCall& call) const {
    return {q.slice(2, call.query_begin, call.query_end), k.slice(2, call.key_begin, call.key_end),
            v.slice(2, call.key_begin, call.key_end)};
  }
};

// The flash kernel of the CPU hides what a causal call hides, and nothing else.
bool has_dense_scores(const AttentionCall& call, const Tensor& queries) { return call.windowed || !queries.is_cpu(); }

// Scores of a call, hidden ones at minus infinity: [g, kv, queries, keys].
Tensor dense_scores(const Operands& part, const AttentionCall& call, const AttentionPlan& plan, double scale) {
  const Tensor scores = stacked_product(part.q, part.k.transpose(2, 3)).mul_(scale);
  const bool all_seen = !call.causal && !call.windowed;
  if (all_seen) return scores;
  return scores.masked_fill_(call.hidden.defined() ? call.hidden : hidden_keys(call, plan),
                             -std::numeric_limits<double>::infinity());
}

// exp(scores - lse), 0 for a query that sees nothing.
Tensor probabilities(const Tensor& scores, const Tensor& lse) {
  const double nothing = -std::numeric_limits<double>::infinity();
  return at::exp(scores - lse.masked_fill(lse == nothing, 0).unsqueeze(-1));
}

Partial attend(const Operands& part, const AttentionCall& call, const AttentionPlan& plan, double scale) {
  if (has_dense_scores(call, part.q)) {
    const Tensor scores = dense_scores(part, call, plan, scale);
    const Tensor lse = at::logsumexp(scores, -1);
    return {stacked_product(probabilities(scores, lse), part.v), lse};
  }
  auto [out, lse] =
      at::_scaled_dot_product_flash_attention_for_cpu(part.q, part.k, part.v, 0.0, call.causal, std::nullopt, scale);
  return {out, lse};
}

// The softmax over the union of two disjoint sets of keys, from the softmax over each.
void merge_into(Tensor out, Tensor lse, const Partial& more) {
  const Tensor together = at::logaddexp(lse, more.lse);
  out.mul_(at::exp(lse - together).unsqueeze(-1)).add_(more.out * at::exp(more.lse - together).unsqueeze(-1));
  lse.copy_(together);
}

// One call's share of the gradient, given the output and log-sum-exp over all keys: exp(score - lse) is then the true
// probability, and sum(gradient * out) the true correction.
std::tuple<Tensor, Tensor, Tensor> gradient_of(const Operands& part, const AttentionCall& call,
                                               const AttentionPlan& plan, double scale, const Tensor& gradient,
                                               const Partial& merged) {
  if (!has_dense_scores(call, part.q)) {
    return at::_scaled_dot_product_flash_attention_for_cpu_backward(gradient, part.q, part.k, part.v, merged.out,
                                                                    merged.lse, 0.0, call.causal, std::nullopt, scale);
  }
  const Tensor p = probabilities(dense_scores(part, call, plan, scale), merged.lse);
  const Tensor correction = (gradient * merged.out).sum(-1, true);
  const Tensor d_scores = p * (stacked_product(gradient, part.v.transpose(2, 3)) - correction) * scale;
  return {stacked_product(d_scores, part.k), stacked_product(d_scores.transpose(2, 3), part.q),
          stacked_product(p.transpose(2, 3), gradient)};
}

struct TreeAttention : torch::autograd::Function<TreeAttention> {
  static Tensor forward(AutogradContext* context, const Tensor& queries, const Tensor& keys, const Tensor& values,
                        const SharedPlan& plan, double scale) {
    const TimeSpan span("attention, forward");
    const std::int64_t kv_heads = keys.size(1), group = queries.size(1) / kv_heads;
    const Operands all{grouped_queries(queries, kv_heads), grouped_keys(keys, group), grouped_keys(values, group)};
    const Tensor result = at::empty(queries.sizes(), queries.options());
    const Tensor out = grouped_queries(result, kv_heads);
    const Tensor lse = at::empty({group, kv_heads, queries.size(0)}, queries.options());
    for (const AttentionCall& call : plan->calls) {
      const Partial partial = attend(all.of(call), call, *plan, scale);
      Tensor rows = out.slice(2, call.query_begin, call.query_end);
      Tensor sums = lse.slice(2, call.query_begin, call.query_end);
      if (call.query_begin == call.key_begin) {
        rows.copy_(partial.out);
        sums.copy_(partial.lse);
      } else {
        merge_into(rows, sums, partial);
      }
    }
    context->save_for_backward({queries, keys, values, result, lse});
    hold(context, "plan", plan);
    context->saved_data["scale"] = scale;
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("attention, backward");
    const variable_list saved = context->get_saved_variables();
    const auto& plan = *held<SharedPlan>(context, "plan");
    const double scale = context->saved_data["scale"].toDouble();
    const Tensor &queries = saved[0], &keys = saved[1], &values = saved[2], &lse = saved[4];
    const std::int64_t kv_heads = keys.size(1), group = queries.size(1) / kv_heads;
    const Operands all{grouped_queries(queries, kv_heads), grouped_keys(keys, group), grouped_keys(values, group)};
    const Tensor out = grouped_queries(saved[3], kv_heads);
    const Tensor gradient = grouped_queries(gradients[0].contiguous(), kv_heads);
    const Tensor d_queries = at::zeros(queries.sizes(), queries.options());
    const Tensor d_keys = at::zeros(keys.sizes(), keys.options()), d_values = at::zeros_like(d_keys);
    const Tensor d_grouped = grouped_queries(d_queries, kv_heads);
    for (const AttentionCall& call : plan.calls) {
      const auto rows = [&](const Tensor& x) { return x.slice(2, call.query_begin, call.query_end); };
      const auto [d_q, d_k, d_v] =
          gradient_of(all.of(call), call, plan, scale, rows(gradient), {rows(out), rows(lse).contiguous()});
      rows(d_grouped).add_(d_q);
      d_keys.slice(0, call.key_begin, call.key_end).add_(d_k.sum(0).transpose(0, 1));
      d_values.slice(0, call.key_begin, call.key_end).add_(d_v.sum(0).transpose(0, 1));
    }
    return {d_queries, d_keys, d_values, Tensor(), Tensor()};
  }
};

}  // namespace

Tensor hidden_keys(const AttentionCall& call, const AttentionPlan& plan) {
  const std::int64_t rows = call.query_end - call.query_begin, columns = call.key_end - call.key_begin;
  const Tensor hidden = at::empty({rows, columns}, at::TensorOptions(at::kBool));
  bool* out = hidden.mutable_data_ptr<bool>();
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int64_t distance = plan.positions[static_cast<std::size_t>(call.query_begin + i)] -
                                    plan.positions[static_cast<std::size_t>(call.key_begin + j)];
      *out++ = (plan.window > 0 && distance >= plan.window) || (call.causal && distance < 0);
    }
  }
  return hidden;
}

Tensor tree_attention(const Tensor& queries, const Tensor& keys, const Tensor& values, const SharedPlan& plan,
                      double scale) {
  if (plan->visible.defined()) return tree_attention_reference(queries, keys, values, *plan, scale);
  return TreeAttention::apply(queries, keys, values, plan, scale);
}

}  // namespace attune
