// GPT-NeoX and Pythia: layer norms, attention and feed-forward part side by side, a quarter of each head turns, and
// one matrix that holds query, key and value head by head.
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.epsilon_key = "layer_norm_eps", .epsilon = 1e-5});
  config.rotary = read_rotary(reader, config, {.part = 0.25, .theta_key = "rotary_emb_base", .part_key = "rotary_pct"});
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", true);
  config.mlp_bias = true;
  config.activation = read_activation(reader, "hidden_act", "gelu");
  config.parallel = reader.boolean("use_parallel_residual", true);
  return config;
}

struct Block {
  static Outline outline() {
    return {.embedding = "gpt_neox.embed_in",
            .blocks = "gpt_neox.layers.",
            .norm = "gpt_neox.final_layer_norm",
            .norm_kind = NormKind::layer,
            .norm_bias = true,
            .head = "embed_out",
            .targets = {"query_key_value"}};
  }

  Block(const Weights& weights, std::int64_t) : Block(weights, weights.config()) {}
  Block(const Weights& weights, const ModelConfig& config)
      : before(weights.norm(NormKind::layer, "input_layernorm", config.width, true)),
        qkv(weights.linear("attention.query_key_value", 3 * config.width, config.width, {.bias = config.qkv_bias})),
        out(weights.attention_out("attention.dense")),
        after(weights.norm(NormKind::layer, "post_attention_layernorm", config.width, true)),
        feed_forward(weights.feed_forward("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")),
        attention(weights.attention()),
        parallel(config.parallel) {}

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads heads = rotate(attention.split_grouped(qkv(input, context.adapted)), context.angles);
    const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
    const Tensor kept = context.kept(sum);
    if (parallel) return {kept, attended + feed_forward(after(kept), context.kept_adapted())};
    const auto [inner, middle] = after({kept, attended});
    return {middle, feed_forward(inner, context.kept_adapted())};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  Norm before;
  Linear qkv, out;
  Norm after;
  FeedForward feed_forward;
  AttentionShape attention;
  bool parallel;
};

// The causal mask is a buffer of older files.
std::string neox_name(std::string_view file_name) {
  if (file_name.ends_with(".attention.bias") || file_name.ends_with(".attention.masked_bias")) return {};
  return file_name == "lm_head.weight" ? "embed_out.weight" : stored_name(file_name);
}

}  // namespace

constinit const FamilyRow gpt_neox =
    family_row<Block>({.model_type = "gpt_neox",
                       .architecture = "GPTNeoXForCausalLM",
                       .classifier = "GPTNeoXForSequenceClassification",
                       .summary = "layer norms, attention beside the feed-forward part, partial rotary positions",
                       .paper = "Black et al. 2022, GPT-NeoX-20B, arXiv:2204.06745; Biderman et al. 2023, Pythia",
                       .read_config = read_config,
                       .stored_name = neox_name});

}  // namespace attune::families
