// Gemma: Llama with norms whose weights count from 1, embeddings scaled by the root of the width, and a GELU as gate.
#include <cmath>

#include "attune/model/families/config_pieces.h"
#include "attune/model/families/pre_norm_block.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.max_positions = 8192, .tied = true});
  config.head_width = reader.integer("head_dim", 256);
  config.rotary = read_rotary(reader, config);
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.embedding_scale = std::sqrt(static_cast<double>(config.width));
  config.activation = read_activation(reader, "hidden_act", "gelu_pytorch_tanh");
  // The first released configs say gelu and mean its approximation.
  if (config.activation == Activation::gelu) config.activation = Activation::gelu_tanh;
  reader.only("use_bidirectional_attention", false);
  return config;
}

struct Block : PreNormBlock {
  static Outline outline() { return {.norm_kind = NormKind::rms_from_one}; }

  Block(const Weights& weights, std::int64_t)
      : PreNormBlock{.before = weights.norm(NormKind::rms_from_one, "input_layernorm", weights.config().width),
                     .qkv = weights.queries_keys_values("self_attn."),
                     .out = weights.attention_out("self_attn.o_proj"),
                     .after = weights.norm(NormKind::rms_from_one, "post_attention_layernorm", weights.config().width),
                     .feed_forward = weights.gated_feed_forward("mlp.", weights.config().feed_forward),
                     .attention = weights.attention()} {}
};

}  // namespace

constinit const FamilyRow gemma =
    family_row<Block>({.model_type = "gemma",
                       .architecture = "GemmaForCausalLM",
                       .classifier = "GemmaForSequenceClassification",
                       .summary = "Llama with norm weights from 1, scaled embeddings and a GELU as gate",
                       .paper = "Gemma team 2024, Gemma, arXiv:2403.08295",
                       .read_config = read_config});

}  // namespace attune::families
