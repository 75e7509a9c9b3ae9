// Phi-3 and Phi-4: Llama whose files hold queries, keys and values as one matrix, and gate and up as another.
#include "attune/model/families/config_pieces.h"
#include "attune/model/families/pre_norm_block.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.epsilon = 1e-5, .max_positions = 4096});
  config.rotary = read_rotary(reader, config);
  if (config.rotary.scaling == RotaryScaling::yarn) reader.fail("rope_scaling.type", "yarn", "default or longrope");
  config.activation = read_activation(reader, "hidden_act", "silu");
  config.windows.assign(config.windows.size(), read_window(reader, 0));
  return config;
}

struct Block : PreNormBlock {
  static Outline outline() { return {.targets = {"qkv_proj"}}; }

  Block(const Weights& weights, std::int64_t) : Block(weights, weights.config()) {}
  Block(const Weights& weights, const ModelConfig& config)
      : PreNormBlock{.before = weights.norm(NormKind::rms, "input_layernorm", config.width),
                     .qkv = weights.linear("self_attn.qkv_proj",
                                           (config.heads + 2 * config.kv_heads) * config.head_width, config.width),
                     .out = weights.attention_out("self_attn.o_proj"),
                     .after = weights.norm(NormKind::rms, "post_attention_layernorm", config.width),
                     .feed_forward = {.up = weights.linear("mlp.gate_up_proj", 2 * config.feed_forward, config.width),
                                      .down = weights.linear("mlp.down_proj", config.width, config.feed_forward),
                                      .activation = config.activation,
                                      .gated = true},
                     .attention = weights.attention()} {}
};

}  // namespace

constinit const FamilyRow phi3 = family_row<Block>(
    {.model_type = "phi3",
     .architecture = "Phi3ForCausalLM",
     .classifier = "Phi3ForSequenceClassification",
     .summary = "Llama with fused matrices; longrope for long contexts, part of a head turns in Phi-4-mini",
     .paper = "Abdin et al. 2024, Phi-3 technical report, arXiv:2404.14219",
     .read_config = read_config});

}  // namespace attune::families
