#include "attune/model/families/pieces.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>

#include <optional>

namespace attune::families {

Tensor Norm::operator()(const Tensor& x) const {
  if (kind == NormKind::layer) {
    if (weight.dim() > 1) return at::layer_norm(x, {x.size(-1)}, {}, {}, epsilon) * weight;  // [heads, e]
    const std::optional<Tensor> shift = bias.defined() ? std::optional(bias) : std::nullopt;
    return at::layer_norm(x, {x.size(-1)}, weight, shift, epsilon);
  }
  const Tensor factor = kind == NormKind::rms_from_one ? weight + 1 : weight;
  return rms_norm_residual(x.reshape({-1, x.size(-1)}), {}, factor, epsilon).normed.view(x.sizes());
}

NormOfSum Norm::operator()(const Residual& x) const {
  if (kind != NormKind::layer) {
    return rms_norm_residual(x.sum, x.delta, kind == NormKind::rms_from_one ? weight + 1 : weight, epsilon);
  }
  const Tensor sum = x.delta.defined() ? x.sum + x.delta : x.sum;
  return {(*this)(sum), sum};
}

Tensor activate(Activation activation, const Tensor& x) {
  switch (activation) {
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::relu:
      return at::relu(x);
    case Activation::silu:
      break;
  }
  return at::silu(x);
}

Tensor activate_gated(Activation activation, const Tensor& gate_up) {
  if (activation == Activation::silu) return swiglu(gate_up);
  const std::int64_t width = gate_up.size(1) / 2;
  return activate(activation, gate_up.narrow(1, 0, width)) * gate_up.narrow(1, width, width);
}

Tensor FeedForward::operator()(const Tensor& x, const TokenRanges& adapted) const {
  const Tensor inner = up(x, adapted);
  return down(gated ? activate_gated(activation, inner) : activate(activation, inner), adapted);
}

Heads AttentionShape::split(const Tensor& projected, const Angles& angles) const {
  const std::int64_t width = projected.size(1) / (heads + 2 * kv_heads);
  if (angles.cosines.defined() && 2 * angles.cosines.size(1) != width) return rotate(split(projected), angles);
  return split_heads(projected, heads, kv_heads, angles.cosines, angles.sines);
}

Heads AttentionShape::split_grouped(const Tensor& projected) const {
  const std::int64_t group = heads / kv_heads;
  const Tensor all = projected.view({projected.size(0), kv_heads, group + 2, -1});
  return {all.narrow(2, 0, group).flatten(1, 2).contiguous(), all.select(2, group).contiguous(),
          all.select(2, group + 1).contiguous()};
}

Heads rotate(const Heads& heads, const Angles& angles, RotaryPairs pairs) {
  return {rotate_heads(heads.queries, angles.cosines, angles.sines, pairs),
          rotate_heads(heads.keys, angles.cosines, angles.sines, pairs), heads.values};
}

Heads norm_each_head(const Heads& heads, const Norm& queries, const Norm& keys) {
  return {queries(heads.queries), keys(heads.keys), heads.values};
}

Heads norm_all_heads(const Heads& heads, const Norm& queries, const Norm& keys) {
  return {queries(heads.queries.flatten(1)).view_as(heads.queries), keys(heads.keys.flatten(1)).view_as(heads.keys),
          heads.values};
}

Tensor attend(const BlockContext& context, std::size_t layer, const Heads& heads, const AttentionForm& form) {
  return context.kept((*context.attention)(layer, heads, form)).flatten(1);
}

}  // namespace attune::families
