// OPT: layer norms, learned positions that start at the table's third row, a ReLU between two matrices.
#include "attune/model/families/config_pieces.h"
#include "attune/model/families/pre_norm_block.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config;
  config.vocabulary = reader.integer("vocab_size");
  config.width = reader.integer("hidden_size");
  config.layers = reader.integer("num_hidden_layers");
  config.heads = config.kv_heads = reader.integer("num_attention_heads");
  config.feed_forward = reader.integer("ffn_dim");
  config.max_positions = reader.integer("max_position_embeddings", 2048);
  config.norm_epsilon = 1e-5;
  config.initializer_range = reader.number("init_std", 0.02);
  config.tied = reader.boolean("tie_word_embeddings", true);
  config.qkv_bias = config.out_bias = config.mlp_bias = reader.boolean("enable_bias", true);
  config.activation = read_activation(reader, "activation_function", "relu");
  reader.only("do_layer_norm_before", true);
  reader.only("_remove_final_layer_norm", false);
  reader.only("layer_norm_elementwise_affine", true);
  if (const std::int64_t width = reader.integer("word_embed_proj_dim", config.width); width != config.width) {
    reader.fail("word_embed_proj_dim", std::to_string(width), "hidden_size: there is no projection of the embedding");
  }
  set_head_width(config, reader, "num_attention_heads");
  check_layers(config, reader, "num_hidden_layers");
  config.windows.assign(static_cast<std::size_t>(config.layers), 0);
  return config;
}

struct Block : PreNormBlock {
  static Outline outline() {
    return {.embedding = "model.decoder.embed_tokens",
            .positions = "model.decoder.embed_positions",
            .position_offset = 2,
            .blocks = "model.decoder.layers.",
            .norm = "model.decoder.final_layer_norm",
            .norm_kind = NormKind::layer,
            .norm_bias = true};
  }

  Block(const Weights& weights, std::int64_t)
      : PreNormBlock{.before = weights.norm(NormKind::layer, "self_attn_layer_norm", weights.config().width, true),
                     .qkv = weights.queries_keys_values("self_attn."),
                     .out = weights.attention_out("self_attn.out_proj"),
                     .after = weights.norm(NormKind::layer, "final_layer_norm", weights.config().width, true),
                     .feed_forward = weights.feed_forward("fc1", "fc2"),
                     .attention = weights.attention()} {}
};

// The first released files lack the "model." of later ones.
std::string opt_name(std::string_view file_name) {
  return (file_name.starts_with("decoder.") ? "model." : "") + std::string(file_name);
}

}  // namespace

constinit const FamilyRow opt =
    family_row<Block>({.model_type = "opt",
                       .architecture = "OPTForCausalLM",
                       .classifier = "OPTForSequenceClassification",
                       .summary = "layer norms, learned positions, a ReLU; the 350 M model's projections are refused",
                       .paper = "Zhang et al. 2022, OPT, arXiv:2205.01068",
                       .read_config = read_config,
                       .stored_name = opt_name});

}  // namespace attune::families
