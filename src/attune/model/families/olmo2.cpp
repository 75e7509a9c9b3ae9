// OLMo 2: norms behind attention and feed-forward part instead of before them, and over all queries and all keys.
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.epsilon = 1e-5});
  config.rotary = read_rotary(reader, config);
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.activation = read_activation(reader, "hidden_act", "silu");
  return config;
}

struct Block {
  static Outline outline() { return {}; }

  Block(const Weights& weights, std::int64_t) : Block(weights, weights.config()) {}
  Block(const Weights& weights, const ModelConfig& config)
      : qkv(weights.queries_keys_values("self_attn.")),
        query_norm(weights.norm(NormKind::rms, "self_attn.q_norm", config.heads * config.head_width)),
        key_norm(weights.norm(NormKind::rms, "self_attn.k_norm", config.kv_heads * config.head_width)),
        out(weights.attention_out("self_attn.o_proj")),
        behind(weights.norm(NormKind::rms, "post_attention_layernorm", config.width)),
        feed_forward(weights.gated_feed_forward("mlp.", config.feed_forward)),
        behind_inner(weights.norm(NormKind::rms, "post_feedforward_layernorm", config.width)),
        attention(weights.attention()) {}

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const Tensor input = x.delta.defined() ? x.sum + x.delta : x.sum;
    const Heads normed = norm_all_heads(attention.split(qkv(input, context.adapted)), query_norm, key_norm);
    const Tensor mixed = attend(context, layer, rotate(normed, context.angles), attention.form);
    const Tensor middle = context.kept(input) + behind(out(mixed, context.kept_adapted()));
    return {middle, behind_inner(feed_forward(middle, context.kept_adapted()))};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  Linear qkv;
  Norm query_norm, key_norm;
  Linear out;
  Norm behind;
  FeedForward feed_forward;
  Norm behind_inner;
  AttentionShape attention;
};

}  // namespace

constinit const FamilyRow olmo2 =
    family_row<Block>({.model_type = "olmo2",
                       .architecture = "Olmo2ForCausalLM",
                       .classifier = "Olmo2ForSequenceClassification",
                       .summary = "norms behind attention and feed-forward part, and over whole queries and keys",
                       .paper = "OLMo team 2024, 2 OLMo 2 Furious, arXiv:2501.00656",
                       .read_config = read_config});

}  // namespace attune::families
