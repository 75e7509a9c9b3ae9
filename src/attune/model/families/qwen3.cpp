// Qwen3: Llama with an RMS norm on every head's query and key, and without biases.
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.max_positions = 32768});
  config.head_width = reader.integer("head_dim", 128);
  config.rotary = read_rotary(reader, config);
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.activation = read_activation(reader, "hidden_act", "silu");
  const std::int64_t window = reader.boolean("use_sliding_window", false) ? read_window(reader, 4096) : 0;
  const std::int64_t first = reader.integer("max_window_layers", 28);
  set_windows(config, reader, window, [&](std::int64_t layer) { return window > 0 && layer >= first; });
  return config;
}

struct Block {
  static Outline outline() { return {}; }

  Block(const Weights& weights, std::int64_t)
      : before(weights.norm(NormKind::rms, "input_layernorm", weights.config().width)),
        qkv(weights.queries_keys_values("self_attn.")),
        query_norm(weights.norm(NormKind::rms, "self_attn.q_norm", weights.config().head_width)),
        key_norm(weights.norm(NormKind::rms, "self_attn.k_norm", weights.config().head_width)),
        out(weights.attention_out("self_attn.o_proj")),
        after(weights.norm(NormKind::rms, "post_attention_layernorm", weights.config().width)),
        feed_forward(weights.gated_feed_forward("mlp.", weights.config().feed_forward)),
        attention(weights.attention()) {}

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads normed = norm_each_head(attention.split(qkv(input, context.adapted)), query_norm, key_norm);
    const Tensor mixed = attend(context, layer, rotate(normed, context.angles), attention.form);
    const auto [inner, middle] = after({context.kept(sum), out(mixed, context.kept_adapted())});
    return {middle, feed_forward(inner, context.kept_adapted())};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  Norm before;
  Linear qkv;
  Norm query_norm, key_norm;
  Linear out;
  Norm after;
  FeedForward feed_forward;
  AttentionShape attention;
};

}  // namespace

constinit const FamilyRow qwen3 =
    family_row<Block>({.model_type = "qwen3",
                       .architecture = "Qwen3ForCausalLM",
                       .classifier = "Qwen3ForSequenceClassification",
                       .summary = "Llama with an RMS norm on each head's query and key",
                       .paper = "Yang et al. 2025, Qwen3 technical report, arXiv:2505.09388",
                       .read_config = read_config});

}  // namespace attune::families
