// Phi-1 to Phi-2: one layer norm, behind it attention and feed-forward part side by side, half of each head turns,
// biases everywhere, the head's too.
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.epsilon_key = "layer_norm_eps", .epsilon = 1e-5});
  config.rotary = read_rotary(reader, config, {.part = 0.5});
  config.qkv_bias = config.out_bias = config.mlp_bias = true;
  config.query_key_norm = reader.boolean("qk_layernorm", false);
  config.activation = read_activation(reader, "hidden_act", "gelu_new");
  reader.only("tie_word_embeddings", false);
  return config;
}

struct Block {
  static Outline outline() {
    return {.norm = "model.final_layernorm",
            .norm_kind = NormKind::layer,
            .norm_bias = true,
            .head_bias = true,
            .targets = {"q_proj", "v_proj", "fc1", "fc2"}};
  }

  Block(const Weights& weights, std::int64_t)
      : before(weights.norm(NormKind::layer, "input_layernorm", weights.config().width, true)),
        qkv(weights.queries_keys_values("self_attn.")),
        out(weights.attention_out("self_attn.dense")),
        feed_forward(weights.feed_forward("mlp.fc1", "mlp.fc2")),
        attention(weights.attention()),
        normed(weights.config().query_key_norm) {
    if (!normed) return;
    query_norm = weights.norm(NormKind::layer, "self_attn.q_layernorm", weights.config().head_width, true);
    key_norm = weights.norm(NormKind::layer, "self_attn.k_layernorm", weights.config().head_width, true);
  }

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads split = attention.split(qkv(input, context.adapted));
    const Heads heads = rotate(normed ? norm_each_head(split, query_norm, key_norm) : split, context.angles);
    const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
    return {context.kept(sum), attended + feed_forward(context.kept(input), context.kept_adapted())};
  }

  std::vector<Linear*> linears() { return {&qkv, &out, &feed_forward.up, &feed_forward.down}; }

  Norm before;
  Linear qkv, out;
  FeedForward feed_forward;
  AttentionShape attention;
  bool normed;
  Norm query_norm, key_norm;
};

}  // namespace

constinit const FamilyRow phi = family_row<Block>(
    {.model_type = "phi",
     .architecture = "PhiForCausalLM",
     .classifier = "PhiForSequenceClassification",
     .summary = "one layer norm for attention and feed-forward part side by side, partial rotary positions",
     .paper = "Li et al. 2023, Textbooks are all you need II, arXiv:2309.05463",
     .read_config = read_config});

}  // namespace attune::families
