// SmolLM3: Llama with some layers without positions (Yang et al. 2025, "RoPE to NoPE and back again").
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

// no_rope_layers says 1 for layers that turn, 0 for the others.
std::vector<bool> read_unrotated(const ConfigReader& reader, const ModelConfig& config) {
  const std::int64_t interval = reader.integer("no_rope_layer_interval", 4);
  if (interval < 1) reader.fail("no_rope_layer_interval", std::to_string(interval), "1 or more");
  const Json* list = reader.find("no_rope_layers");
  std::vector<bool> result;
  if (list == nullptr) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) result.push_back((layer + 1) % interval == 0);
    return result;
  }
  if (!list->is_array() || static_cast<std::int64_t>(list->size()) != config.layers) {
    reader.fail("no_rope_layers", "another list", "0 or 1 for each layer");
  }
  for (const Json& value : list->items()) {
    if (!value.is_integer()) reader.fail("no_rope_layers", std::string(value.type_name()), "0 or 1 for each layer");
    result.push_back(value.integer() == 0);
  }
  return result;
}

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.max_positions = 32768, .tied = true});
  config.rotary = read_rotary(reader, config, {.theta = 2e6});
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.mlp_bias = reader.boolean("mlp_bias", false);
  config.activation = read_activation(reader, "hidden_act", "silu");
  config.unrotated = read_unrotated(reader, config);
  const std::int64_t window = reader.boolean("use_sliding_window", false) ? read_window(reader, 0) : 0;
  if (window > 0) {
    set_windows(config, reader, window, [&](std::int64_t i) { return config.unrotated[static_cast<std::size_t>(i)]; });
  }
  return config;
}

struct Block {
  static Outline outline() { return {}; }

  Block(const Weights& weights, std::int64_t layer)
      : turns(!weights.config().unrotated[static_cast<std::size_t>(layer)]),
        before(weights.norm(NormKind::rms, "input_layernorm", weights.config().width)),
        qkv(weights.queries_keys_values("self_attn.")),
        out(weights.attention_out("self_attn.o_proj")),
        after(weights.norm(NormKind::rms, "post_attention_layernorm", weights.config().width)),
        feed_forward(weights.gated_feed_forward("mlp.", weights.config().feed_forward)),
        attention(weights.attention()) {}

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads heads = attention.split(qkv(input, context.adapted), turns ? context.angles : Angles());
    const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
    const auto [inner, middle] = after({context.kept(sum), attended});
    return {middle, feed_forward(inner, context.kept_adapted())};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  bool turns;
  Norm before;
  Linear qkv, out;
  Norm after;
  FeedForward feed_forward;
  AttentionShape attention;
};

}  // namespace

constinit const FamilyRow smollm3 = family_row<Block>({.model_type = "smollm3",
                                                       .architecture = "SmolLM3ForCausalLM",
                                                       .classifier = "SmolLM3ForSequenceClassification",
                                                       .summary = "Llama with every fourth layer without positions",
                                                       .paper = "Bakouch et al. 2025, SmolLM3",
                                                       .read_config = read_config});

}  // namespace attune::families
