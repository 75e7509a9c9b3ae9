// GPT-2: learned positions, layer norms with biases, fused projections that files store transposed (Conv1D). Dropout
// rates in configs are ignored: attune trains without dropout.
#include <cmath>

#include "attune/model/families/config_pieces.h"
#include "attune/model/families/pre_norm_block.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config;
  config.vocabulary = reader.integer("vocab_size");
  config.width = reader.integer("n_embd");
  config.layers = reader.integer("n_layer");
  config.heads = config.kv_heads = reader.integer("n_head");
  config.max_positions = reader.integer("n_positions", 1024);
  config.feed_forward = reader.integer("n_inner", config.width > (1 << 22) ? 0 : 4 * config.width);
  config.norm_epsilon = reader.number("layer_norm_epsilon", 1e-5);
  config.initializer_range = reader.number("initializer_range", 0.02);
  config.tied = reader.boolean("tie_word_embeddings", true);
  config.activation = read_activation(reader, "activation_function", "gelu_new");
  reader.only("scale_attn_weights", true);
  reader.only("scale_attn_by_inverse_layer_idx", false);
  reader.only("add_cross_attention", false);
  set_head_width(config, reader, "n_head");
  check_layers(config, reader, "n_layer");
  config.windows.assign(static_cast<std::size_t>(config.layers), 0);
  return config;
}

struct Block : PreNormBlock {
  static Outline outline() {
    return {.embedding = "transformer.wte",
            .positions = "transformer.wpe",
            .blocks = "transformer.h.",
            .norm = "transformer.ln_f",
            .norm_kind = NormKind::layer,
            .norm_bias = true,
            .targets = {"c_attn"}};
  }

  // Matrices that add to the stream start smaller: there are two a layer (Radford et al. 2019, section 2.3).
  static LinearOptions into_stream(const ModelConfig& config) {
    const double additions = 2 * static_cast<double>(config.layers);
    return {.bias = true, .transposed = true, .deviation = config.initializer_range / std::sqrt(additions)};
  }

  Block(const Weights& weights, std::int64_t) : Block(weights, weights.config()) {}
  Block(const Weights& weights, const ModelConfig& config)
      : PreNormBlock{
            .before = weights.norm(NormKind::layer, "ln_1", config.width, true),
            .qkv = weights.linear("attn.c_attn", 3 * config.width, config.width, {.bias = true, .transposed = true}),
            .out = weights.linear("attn.c_proj", config.width, config.width, into_stream(config)),
            .after = weights.norm(NormKind::layer, "ln_2", config.width, true),
            .feed_forward = {.up = weights.linear("mlp.c_fc", config.feed_forward, config.width,
                                                  {.bias = true, .transposed = true}),
                             .down =
                                 weights.linear("mlp.c_proj", config.width, config.feed_forward, into_stream(config)),
                             .activation = config.activation},
            .attention = weights.attention()} {}
};

// The first released files lack the "transformer." of later ones, and hold the causal mask as a buffer.
std::string gpt2_name(std::string_view file_name) {
  if (file_name.ends_with(".attn.bias") || file_name.ends_with(".attn.masked_bias")) return {};
  const bool known =
      file_name.starts_with("transformer.") || file_name.starts_with("lm_head.") || file_name.starts_with("score.");
  return known ? std::string(file_name) : "transformer." + std::string(file_name);
}

}  // namespace

constinit const FamilyRow gpt2 =
    family_row<Block>({.model_type = "gpt2",
                       .architecture = "GPT2LMHeadModel",
                       .classifier = "GPT2ForSequenceClassification",
                       .summary = "layer norms with biases, learned positions, one matrix for queries, keys and values",
                       .paper = "Radford et al. 2019, Language models are unsupervised multitask learners",
                       .read_config = read_config,
                       .stored_name = gpt2_name});

}  // namespace attune::families
