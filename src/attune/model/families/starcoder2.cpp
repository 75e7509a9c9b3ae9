// StarCoder2: layer norms and biases around grouped-query attention with rotary positions and a window; two matrices
// with a GELU between.
#include "attune/model/families/config_pieces.h"
#include "attune/model/families/pre_norm_block.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(
      reader,
      {.epsilon_key = "norm_epsilon", .epsilon = 1e-5, .max_positions = 4096, .tied = true, .deviation = 0.018042});
  config.rotary = read_rotary(reader, config);
  config.qkv_bias = config.out_bias = config.mlp_bias = reader.boolean("use_bias", true);
  config.activation = read_activation(reader, "hidden_act", "gelu_pytorch_tanh");
  config.windows.assign(config.windows.size(), read_window(reader, 0));
  return config;
}

struct Block : PreNormBlock {
  static Outline outline() { return {.norm_kind = NormKind::layer, .norm_bias = true}; }

  Block(const Weights& weights, std::int64_t)
      : PreNormBlock{.before = weights.norm(NormKind::layer, "input_layernorm", weights.config().width, true),
                     .qkv = weights.queries_keys_values("self_attn."),
                     .out = weights.attention_out("self_attn.o_proj"),
                     .after = weights.norm(NormKind::layer, "post_attention_layernorm", weights.config().width, true),
                     .feed_forward = weights.feed_forward("mlp.c_fc", "mlp.c_proj"),
                     .attention = weights.attention()} {}
};

}  // namespace

constinit const FamilyRow starcoder2 =
    family_row<Block>({.model_type = "starcoder2",
                       .architecture = "Starcoder2ForCausalLM",
                       .classifier = "Starcoder2ForSequenceClassification",
                       .summary = "layer norms with biases, rotary positions, grouped queries, a window",
                       .paper = "Lozhkov et al. 2024, StarCoder 2, arXiv:2402.19173",
                       .read_config = read_config});

}  // namespace attune::families
