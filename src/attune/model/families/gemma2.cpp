// Gemma 2: norms before and behind attention and feed-forward part, soft caps on scores and logits, every other layer
// with a window.
#include <cmath>

#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.max_positions = 8192, .tied = true});
  config.head_width = reader.integer("head_dim", 256);
  config.rotary = read_rotary(reader, config);
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.embedding_scale = std::sqrt(static_cast<double>(config.width));
  config.activation = read_activation(reader, "hidden_activation", "gelu_pytorch_tanh");
  config.attention_scale = 1 / std::sqrt(reader.number("query_pre_attn_scalar", 256));
  config.attention_soft_cap = reader.number_or_null("attn_logit_softcapping", 50);
  config.logit_soft_cap = reader.number_or_null("final_logit_softcapping", 30);
  set_windows(config, reader, read_window(reader, 4096), [](std::int64_t layer) { return layer % 2 == 0; });
  reader.only("use_bidirectional_attention", false);
  return config;
}

struct Block {
  static Outline outline() { return {.norm_kind = NormKind::rms_from_one}; }

  Block(const Weights& weights, std::int64_t)
      : before(weights.norm(NormKind::rms_from_one, "input_layernorm", weights.config().width)),
        qkv(weights.queries_keys_values("self_attn.")),
        out(weights.attention_out("self_attn.o_proj")),
        behind(weights.norm(NormKind::rms_from_one, "post_attention_layernorm", weights.config().width)),
        before_inner(weights.norm(NormKind::rms_from_one, "pre_feedforward_layernorm", weights.config().width)),
        feed_forward(weights.gated_feed_forward("mlp.", weights.config().feed_forward)),
        behind_inner(weights.norm(NormKind::rms_from_one, "post_feedforward_layernorm", weights.config().width)),
        attention(weights.attention()) {}

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads heads = attention.split(qkv(input, context.adapted), context.angles);
    const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
    const auto [inner, middle] = before_inner({context.kept(sum), behind(attended)});
    return {middle, behind_inner(feed_forward(inner, context.kept_adapted()))};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  Norm before;
  Linear qkv, out;
  Norm behind, before_inner;
  FeedForward feed_forward;
  Norm behind_inner;
  AttentionShape attention;
};

}  // namespace

constinit const FamilyRow gemma2 =
    family_row<Block>({.model_type = "gemma2",
                       .architecture = "Gemma2ForCausalLM",
                       .classifier = "Gemma2ForSequenceClassification",
                       .summary = "Gemma with norms on both sides, soft caps on scores and logits, alternating windows",
                       .paper = "Gemma team 2024, Gemma 2, arXiv:2408.00118",
                       .read_config = read_config});

}  // namespace attune::families
