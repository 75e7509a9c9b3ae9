// Granite 3: Llama with multipliers on embeddings, scores, what is added to the stream, and logits.
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader);
  config.rotary = read_rotary(reader, config);
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.mlp_bias = reader.boolean("mlp_bias", false);
  config.activation = read_activation(reader, "hidden_act", "silu");
  const auto above_zero = [&](std::string_view key) {
    const double value = reader.number(key, 1);
    if (!(value > 0)) reader.fail(key, format_double(value), "a number above 0");
    return value;
  };
  config.embedding_scale = above_zero("embedding_multiplier");
  config.attention_scale = above_zero("attention_multiplier");
  config.residual_scale = above_zero("residual_multiplier");
  config.logit_scale = 1 / above_zero("logits_scaling");
  return config;
}

struct Block {
  static Outline outline() { return {}; }

  Block(const Weights& weights, std::int64_t)
      : before(weights.norm(NormKind::rms, "input_layernorm", weights.config().width)),
        qkv(weights.queries_keys_values("self_attn.")),
        out(weights.attention_out("self_attn.o_proj")),
        after(weights.norm(NormKind::rms, "post_attention_layernorm", weights.config().width)),
        feed_forward(weights.gated_feed_forward("mlp.", weights.config().feed_forward)),
        attention(weights.attention()),
        added(weights.config().residual_scale) {}

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads heads = attention.split(qkv(input, context.adapted), context.angles);
    const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
    const auto [inner, middle] = after({context.kept(sum), attended * added});
    return {middle, feed_forward(inner, context.kept_adapted()) * added};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  Norm before;
  Linear qkv, out;
  Norm after;
  FeedForward feed_forward;
  AttentionShape attention;
  double added;
};

}  // namespace

constinit const FamilyRow granite =
    family_row<Block>({.model_type = "granite",
                       .architecture = "GraniteForCausalLM",
                       .summary = "Llama with multipliers on embeddings, scores, the residual stream and logits",
                       .paper = "Granite team 2024, Granite 3.0 language models",
                       .read_config = read_config});

}  // namespace attune::families
