// Llama 2 and 3, SmolLM, Mistral and Qwen2: rotary positions, RMS norms, grouped key-value heads, a gated feed-forward.
// Mistral adds a sliding window, Qwen2 biases on the projections.
#include "attune/model/families/config_pieces.h"
#include "attune/model/families/pre_norm_block.h"

namespace attune::families {
namespace {

ModelConfig read_common(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader);
  config.rotary = read_rotary(reader, config);
  reader.only("hidden_act", "silu");
  return config;
}

ModelConfig read_llama(const ConfigReader& reader) {
  ModelConfig config = read_common(reader);
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.mlp_bias = reader.boolean("mlp_bias", false);
  if (reader.integer("pretraining_tp", 1) != 1) reader.fail("pretraining_tp", "a split computation", "1");
  return config;
}

ModelConfig read_mistral(const ConfigReader& reader) {
  ModelConfig config = read_common(reader);
  config.windows.assign(config.windows.size(), read_window(reader, 4096));
  return config;
}

ModelConfig read_qwen2(const ConfigReader& reader) {
  ModelConfig config = read_common(reader);
  config.qkv_bias = true;
  const std::int64_t window = reader.boolean("use_sliding_window", false) ? read_window(reader, 4096) : 0;
  const std::int64_t first = reader.integer("max_window_layers", 28);
  set_windows(config, reader, window, [&](std::int64_t layer) { return window > 0 && layer >= first; });
  return config;
}

struct Block : PreNormBlock {
  static Outline outline() { return {}; }

  Block(const Weights& weights, std::int64_t)
      : PreNormBlock{.before = weights.norm(NormKind::rms, "input_layernorm", weights.config().width),
                     .qkv = weights.queries_keys_values("self_attn."),
                     .out = weights.attention_out("self_attn.o_proj"),
                     .after = weights.norm(NormKind::rms, "post_attention_layernorm", weights.config().width),
                     .feed_forward = weights.gated_feed_forward("mlp.", weights.config().feed_forward),
                     .attention = weights.attention()} {}
};

}  // namespace

constinit const FamilyRow llama = family_row<Block>(
    {.model_type = "llama",
     .architecture = "LlamaForCausalLM",
     .classifier = "LlamaForSequenceClassification",
     .summary = "RMS norms before attention and a gated feed-forward part, rotary positions, grouped key-value heads",
     .paper = "Touvron et al. 2023, LLaMA, arXiv:2302.13971",
     .read_config = read_llama});
constinit const FamilyRow mistral = family_row<Block>({.model_type = "mistral",
                                                       .architecture = "MistralForCausalLM",
                                                       .classifier = "MistralForSequenceClassification",
                                                       .summary = "Llama with a sliding window",
                                                       .paper = "Jiang et al. 2023, Mistral 7B, arXiv:2310.06825",
                                                       .read_config = read_mistral});
constinit const FamilyRow qwen2 =
    family_row<Block>({.model_type = "qwen2",
                       .architecture = "Qwen2ForCausalLM",
                       .classifier = "Qwen2ForSequenceClassification",
                       .summary = "Llama with biases on queries, keys and values, and a window in upper layers",
                       .paper = "Yang et al. 2024, Qwen2 technical report, arXiv:2407.10671",
                       .read_config = read_qwen2});

}  // namespace attune::families
