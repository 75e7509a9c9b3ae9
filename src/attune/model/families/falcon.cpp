// Falcon: layer norms, no biases, one matrix that holds each key head's queries, key and value. The 7 B model has one
// key head and one norm for attention and feed-forward part side by side; the later ones have several and two.
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config;
  config.vocabulary = reader.integer("vocab_size");
  config.width = reader.find("n_embed") != nullptr ? reader.integer("n_embed") : reader.integer("hidden_size");
  config.layers = reader.integer("num_hidden_layers");
  config.heads = reader.integer("num_attention_heads");
  config.max_positions = reader.integer("max_position_embeddings", 2048);
  config.norm_epsilon = reader.number("layer_norm_epsilon", 1e-5);
  config.initializer_range = reader.number("initializer_range", 0.02);
  config.tied = reader.boolean("tie_word_embeddings", true);
  config.feed_forward = reader.integer("ffn_hidden_size", config.width > (1 << 22) ? 0 : 4 * config.width);
  config.qkv_bias = config.out_bias = config.mlp_bias = reader.boolean("bias", false);
  config.activation = read_activation(reader, "activation", "gelu");
  config.parallel = reader.boolean("parallel_attn", true);
  const bool newer = reader.boolean("new_decoder_architecture", false);
  const bool one_key = reader.boolean("multi_query", true);
  config.kv_heads = newer ? reader.integer("num_kv_heads", config.heads) : one_key ? 1 : config.heads;
  config.parallel_norms = config.parallel ? reader.integer("num_ln_in_parallel_attn", newer ? 2 : 1) : 1;
  if (newer && !config.parallel) reader.fail("parallel_attn", "false", "true with new_decoder_architecture");
  if (config.parallel_norms != 1 && !(newer && config.parallel_norms == 2)) {
    reader.fail("num_ln_in_parallel_attn", std::to_string(config.parallel_norms),
                "1, or 2 with new_decoder_architecture");
  }
  reader.only("alibi", false);
  set_head_width(config, reader, "num_attention_heads");
  check_layers(config, reader, "num_hidden_layers");
  config.windows.assign(static_cast<std::size_t>(config.layers), 0);
  config.rotary = read_rotary(reader, config);
  return config;
}

struct Block {
  static Outline outline() {
    return {.embedding = "transformer.word_embeddings",
            .blocks = "transformer.h.",
            .norm = "transformer.ln_f",
            .norm_kind = NormKind::layer,
            .norm_bias = true,
            .targets = {"query_key_value"}};
  }

  Block(const Weights& weights, std::int64_t) : Block(weights, weights.config()) {}
  Block(const Weights& weights, const ModelConfig& config)
      : before(weights.norm(NormKind::layer, config.parallel_norms == 2 ? "ln_attn" : "input_layernorm", config.width,
                            true)),
        qkv(weights.linear("self_attention.query_key_value", (config.heads + 2 * config.kv_heads) * config.head_width,
                           config.width, {.bias = config.qkv_bias})),
        out(weights.attention_out("self_attention.dense")),
        feed_forward(weights.feed_forward("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")),
        attention(weights.attention()),
        parallel(config.parallel),
        two_norms(config.parallel_norms == 2) {
    if (two_norms) inner_norm = weights.norm(NormKind::layer, "ln_mlp", config.width, true);
    if (!parallel) inner_norm = weights.norm(NormKind::layer, "post_attention_layernorm", config.width, true);
  }

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads heads = rotate(attention.split_grouped(qkv(input, context.adapted)), context.angles);
    const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
    const Tensor kept = context.kept(sum);
    if (parallel) {
      const Tensor inner = two_norms ? inner_norm(kept) : context.kept(input);
      return {kept, attended + feed_forward(inner, context.kept_adapted())};
    }
    const auto [inner, middle] = inner_norm({kept, attended});
    return {middle, feed_forward(inner, context.kept_adapted())};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  Norm before;
  Linear qkv, out;
  FeedForward feed_forward;
  AttentionShape attention;
  bool parallel, two_norms;
  Norm inner_norm;
};

}  // namespace

constinit const FamilyRow falcon = family_row<Block>(
    {.model_type = "falcon",
     .architecture = "FalconForCausalLM",
     .classifier = "FalconForSequenceClassification",
     .summary = "layer norms, attention beside the feed-forward part, few key heads; ALiBi is refused",
     .paper = "Almazrouei et al. 2023, The Falcon series, arXiv:2311.16867",
     .read_config = read_config});

}  // namespace attune::families
