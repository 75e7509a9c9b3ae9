// Cohere's Command R: one layer norm without bias for attention and feed-forward part side by side, rotary positions of
// neighbouring channels, scaled logits.
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config =
      read_sizes(reader, {.epsilon_key = "layer_norm_eps", .epsilon = 1e-5, .max_positions = 8192, .tied = true});
  config.rotary = read_rotary(reader, config, {.theta = 500000});
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.query_key_norm = reader.boolean("use_qk_norm", false);
  config.activation = read_activation(reader, "hidden_act", "silu");
  config.logit_scale = reader.number("logit_scale", 0.0625);
  return config;
}

struct Block {
  static Outline outline() { return {.norm_kind = NormKind::layer}; }

  Block(const Weights& weights, std::int64_t) : Block(weights, weights.config()) {}
  Block(const Weights& weights, const ModelConfig& config)
      : before(weights.norm(NormKind::layer, "input_layernorm", config.width)),
        qkv(weights.queries_keys_values("self_attn.")),
        out(weights.attention_out("self_attn.o_proj")),
        feed_forward(weights.gated_feed_forward("mlp.", config.feed_forward)),
        attention(weights.attention()),
        normed(config.query_key_norm) {
    if (!normed) return;
    query_norm = weights.norm_by_head(NormKind::layer, "self_attn.q_norm", config.heads);
    key_norm = weights.norm_by_head(NormKind::layer, "self_attn.k_norm", config.kv_heads);
  }

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads split = attention.split(qkv(input, context.adapted));
    const Heads heads =
        rotate(normed ? norm_each_head(split, query_norm, key_norm) : split, context.angles, RotaryPairs::neighbours);
    const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
    return {context.kept(sum), attended + feed_forward(context.kept(input), context.kept_adapted())};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  Norm before;
  Linear qkv, out;
  FeedForward feed_forward;
  AttentionShape attention;
  bool normed;
  Norm query_norm, key_norm;
};

}  // namespace

constinit const FamilyRow cohere = family_row<Block>(
    {.model_type = "cohere",
     .architecture = "CohereForCausalLM",
     .summary = "attention beside the feed-forward part, rotation of neighbouring channels, scaled logits",
     .paper = "Cohere 2024, Command R",
     .read_config = read_config});

}  // namespace attune::families
