#include "attune/model/families/block_family.h"

namespace attune::families {

Embedding::Embedding(const Weights& weights, const Outline& outline)
    : offset(outline.position_offset), scale(weights.config().embedding_scale) {
  const ModelConfig& config = weights.config();
  tokens = weights.linear(outline.embedding, config.vocabulary, config.width).weight;
  if (outline.positions.empty()) return;
  positions = weights.linear(outline.positions, config.max_positions + offset, config.width).weight;
}

Tensor Embedding::operator()(const Tensor& ids, const Tensor& at, const Tensor& table) const {
  const Tensor rows = embedding_rows(table.defined() ? table : tokens, ids);
  const Tensor scaled = scale == 1 ? rows : rows * scale;
  return positions.defined() ? scaled + embedding_rows(positions, offset == 0 ? at : at + offset) : scaled;
}

std::string head_path(const ModelConfig& config, const Outline& outline) {
  return config.labels > 0 ? "score" : outline.head;
}

Head head_of(const Weights& weights, const Outline& outline, const Embedding& embedding) {
  const ModelConfig& config = weights.config();
  if (config.labels > 0)
    return {.weight = weights.linear(head_path(config, outline), config.labels, config.width).weight};
  Linear head;
  if (!config.tied || outline.head_bias) {
    head = weights.linear(outline.head, config.vocabulary, config.width, {.bias = outline.head_bias});
  }
  return {.weight = config.tied ? embedding.tokens : head.weight,
          .bias = head.bias,
          .scale = config.logit_scale,
          .soft_cap = config.logit_soft_cap};
}

}  // namespace attune::families
