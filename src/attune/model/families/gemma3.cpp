// Gemma 3, text: norms on both sides as in Gemma 2, an RMS norm on every head's query and key instead of soft caps, and
// five layers with a window and a rotation of their own to one without.
#include <cmath>

#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

// Newer configs hold the values of both kinds of layers in rope_parameters; in older ones rope_theta and rope_scaling
// are those of layers without a window, rope_local_base_freq is the other's theta.
void read_rotations(ModelConfig& config, const ConfigReader& reader) {
  const RotaryDefaults global{.theta = 1e6}, local{.theta = 1e4, .theta_key = "rope_local_base_freq"};
  const Json* both = reader.find("rope_parameters");
  if (both == nullptr) {
    static const Json nothing = Json::object();
    config.rotary = read_rotary(reader, config, global);
    config.local_rotary = read_rotary_values(ConfigReader(nothing, reader.path()), reader, config, local);
    return;
  }
  const auto values = [&](const char* kind, const RotaryDefaults& defaults) {
    const Json* found = both->is_object() ? both->find(kind) : nullptr;
    if (found == nullptr) reader.fail("rope_parameters", "nothing for " + std::string(kind), "values of both kinds");
    return read_rotary_values(ConfigReader(*found, reader.path(), "rope_parameters." + std::string(kind) + "."), reader,
                              config, defaults);
  };
  config.rotary = values("full_attention", global);
  config.local_rotary = values("sliding_attention", local);
}

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.max_positions = 131072, .tied = true});
  config.head_width = reader.integer("head_dim", 256);
  read_rotations(config, reader);
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.embedding_scale = std::sqrt(static_cast<double>(config.width));
  config.activation = read_activation(reader, "hidden_activation", "gelu_pytorch_tanh");
  config.attention_scale = 1 / std::sqrt(reader.number("query_pre_attn_scalar", 256));
  config.logit_soft_cap = reader.number_or_null("final_logit_softcapping", 0);
  if (reader.number("attn_logit_softcapping", 0) != 0) reader.fail("attn_logit_softcapping", "a soft cap", "null");
  const std::int64_t pattern = reader.integer("sliding_window_pattern", 6);
  if (pattern < 1) reader.fail("sliding_window_pattern", std::to_string(pattern), "1 or more");
  set_windows(config, reader, read_window(reader, 4096), [&](std::int64_t i) { return (i + 1) % pattern != 0; });
  reader.only("use_bidirectional_attention", false);
  return config;
}

struct Block {
  static Outline outline() { return {.norm_kind = NormKind::rms_from_one}; }

  Block(const Weights& weights, std::int64_t layer)
      : local(weights.config().windows[static_cast<std::size_t>(layer)] > 0),
        before(weights.norm(NormKind::rms_from_one, "input_layernorm", weights.config().width)),
        qkv(weights.queries_keys_values("self_attn.")),
        query_norm(weights.norm(NormKind::rms_from_one, "self_attn.q_norm", weights.config().head_width)),
        key_norm(weights.norm(NormKind::rms_from_one, "self_attn.k_norm", weights.config().head_width)),
        out(weights.attention_out("self_attn.o_proj")),
        behind(weights.norm(NormKind::rms_from_one, "post_attention_layernorm", weights.config().width)),
        before_inner(weights.norm(NormKind::rms_from_one, "pre_feedforward_layernorm", weights.config().width)),
        feed_forward(weights.gated_feed_forward("mlp.", weights.config().feed_forward)),
        behind_inner(weights.norm(NormKind::rms_from_one, "post_feedforward_layernorm", weights.config().width)),
        attention(weights.attention()) {}

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads normed = norm_each_head(attention.split(qkv(input, context.adapted)), query_norm, key_norm);
    const Heads turned = rotate(normed, local ? context.local_angles : context.angles);
    const Tensor attended = out(attend(context, layer, turned, attention.form), context.kept_adapted());
    const auto [inner, middle] = before_inner({context.kept(sum), behind(attended)});
    return {middle, behind_inner(feed_forward(inner, context.kept_adapted()))};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  bool local;
  Norm before;
  Linear qkv;
  Norm query_norm, key_norm;
  Linear out;
  Norm behind, before_inner;
  FeedForward feed_forward;
  Norm behind_inner;
  AttentionShape attention;
};

}  // namespace

constinit const FamilyRow gemma3 = family_row<Block>(
    {.model_type = "gemma3_text",
     .architecture = "Gemma3ForCausalLM",
     .classifier = "Gemma3TextForSequenceClassification",
     .summary = "Gemma 2 with norms on queries and keys for soft caps, two rotations, wider alternation",
     .paper = "Gemma team 2025, Gemma 3, arXiv:2503.19786",
     .read_config = read_config});

}  // namespace attune::families
