// Qwen2-MoE and Qwen3-MoE: Qwen2 and Qwen3 with experts in all or some layers; Qwen2's have one besides that every
// token visits, behind a gate of its own.
#include <algorithm>

#include <ATen/ops/sigmoid.h>

#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"
#include "attune/model/families/experts.h"

namespace attune::families {
namespace {

ModelConfig read_common(const ConfigReader& reader, const ExpertsDefaults& defaults) {
  ModelConfig config = read_sizes(reader, {.max_positions = 32768});
  config.rotary = read_rotary(reader, config);
  config.activation = read_activation(reader, "hidden_act", "silu");
  config.experts = read_experts(reader, config, defaults);
  config.experts.width = reader.integer("moe_intermediate_size");
  config.experts.normalised = reader.boolean("norm_topk_prob", false);
  const std::int64_t step = reader.integer("decoder_sparse_step", 1);
  if (step < 1) reader.fail("decoder_sparse_step", std::to_string(step), "1 or more");
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    config.experts.in_layer[static_cast<std::size_t>(layer)] = (layer + 1) % step == 0;
  }
  const Json* plain = reader.find("mlp_only_layers");
  if (plain != nullptr && !plain->is_array()) reader.fail("mlp_only_layers", std::string(plain->type_name()), "a list");
  for (std::size_t i = 0; plain != nullptr && i < plain->size(); ++i) {
    const Json& layer = plain->items()[i];
    if (!layer.is_integer() || layer.integer() < 0 || layer.integer() >= config.layers) {
      reader.fail("mlp_only_layers", "an entry that is no layer", "numbers of layers");
    }
    config.experts.in_layer[static_cast<std::size_t>(layer.integer())] = false;
  }
  return config;
}

ModelConfig read_qwen2_moe(const ConfigReader& reader) {
  ModelConfig config = read_common(reader, {.count_key = "num_experts", .count = 60, .a_token = 4});
  config.qkv_bias = reader.boolean("qkv_bias", true);
  config.experts.shared_width = reader.integer("shared_expert_intermediate_size");
  const std::int64_t window = reader.boolean("use_sliding_window", false) ? read_window(reader, 4096) : 0;
  const std::int64_t last = reader.integer("max_window_layers", 28);
  set_windows(config, reader, window, [&](std::int64_t i) { return window > 0 && i % 2 == 0 && i < last; });
  return config;
}

ModelConfig read_qwen3_moe(const ConfigReader& reader) {
  ModelConfig config = read_common(reader, {.count_key = "num_experts", .count = 128, .a_token = 8});
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.query_key_norm = true;
  const std::int64_t window = reader.boolean("use_sliding_window", false) ? read_window(reader, 4096) : 0;
  config.windows.assign(config.windows.size(), window);
  return config;
}

struct Block {
  static Outline outline() { return {}; }

  Block(const Weights& weights, std::int64_t layer)
      : before(weights.norm(NormKind::rms, "input_layernorm", weights.config().width)),
        qkv(weights.queries_keys_values("self_attn.")),
        out(weights.attention_out("self_attn.o_proj")),
        after(weights.norm(NormKind::rms, "post_attention_layernorm", weights.config().width)),
        attention(weights.attention()),
        normed(weights.config().query_key_norm),
        sparse(weights.config().experts.in_layer[static_cast<std::size_t>(layer)]),
        shares(sparse && weights.config().experts.shared_width > 0) {
    const ModelConfig& config = weights.config();
    if (normed) {
      query_norm = weights.norm(NormKind::rms, "self_attn.q_norm", config.head_width);
      key_norm = weights.norm(NormKind::rms, "self_attn.k_norm", config.head_width);
    }
    if (sparse) experts = Experts(weights.in("mlp."), {"gate_proj", "up_proj", "down_proj"});
    if (!sparse) dense = weights.gated_feed_forward("mlp.", config.feed_forward);
    if (!shares) return;
    dense = weights.gated_feed_forward("mlp.shared_expert.", config.experts.shared_width);
    share = weights.linear("mlp.shared_expert_gate", 1, config.width);
  }

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads split = attention.split(qkv(input, context.adapted));
    const Heads heads = rotate(normed ? norm_each_head(split, query_norm, key_norm) : split, context.angles);
    const TokenRanges& adapted = context.kept_adapted();
    const Tensor attended = out(attend(context, layer, heads, attention.form), adapted);
    const auto [inner, middle] = after({context.kept(sum), attended});
    if (!sparse) return {middle, dense(inner, adapted)};
    const auto [mixed, routing] = experts(inner);
    if (!shares) return {middle, mixed, routing};
    return {middle, mixed + at::sigmoid(share(inner, adapted)) * dense(inner, adapted), routing};
  }

  // Without the experts, as in PEFT: on the other side they are no linear modules.
  std::vector<Linear*> linears() {
    std::vector<Linear*> all = {&qkv, &out};
    if (!sparse || shares) all.insert(all.end(), {&dense.up, &dense.down});
    if (shares) all.push_back(&share);
    return all;
  }

  Norm before;
  Linear qkv, out;
  Norm after;
  AttentionShape attention;
  bool normed, sparse, shares;
  Norm query_norm, key_norm;
  Experts experts;
  FeedForward dense;  // of a layer without experts, or the one that all tokens visit
  Linear share;
};

}  // namespace

constinit const FamilyRow qwen2_moe =
    family_row<Block>({.model_type = "qwen2_moe",
                       .architecture = "Qwen2MoeForCausalLM",
                       .classifier = "Qwen2MoeForSequenceClassification",
                       .summary = "Qwen2 with many small experts and one that every token visits",
                       .paper = "Yang et al. 2024, Qwen2 technical report, arXiv:2407.10671",
                       .read_config = read_qwen2_moe});
constinit const FamilyRow qwen3_moe =
    family_row<Block>({.model_type = "qwen3_moe",
                       .architecture = "Qwen3MoeForCausalLM",
                       .classifier = "Qwen3MoeForSequenceClassification",
                       .summary = "Qwen3 with many small experts",
                       .paper = "Yang et al. 2025, Qwen3 technical report, arXiv:2505.09388",
                       .read_config = read_qwen3_moe});

}  // namespace attune::families
