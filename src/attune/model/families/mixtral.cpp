// Mixtral: Mistral with eight feed-forward parts, of which each token visits two.
#include "attune/model/families/block_family.h"
#include "attune/model/families/config_pieces.h"
#include "attune/model/families/experts.h"

namespace attune::families {
namespace {

ModelConfig read_config(const ConfigReader& reader) {
  ModelConfig config = read_sizes(reader, {.epsilon = 1e-5, .max_positions = 4096 * 32});
  config.rotary = read_rotary(reader, config, {.theta = 1e6});
  config.activation = read_activation(reader, "hidden_act", "silu");
  config.windows.assign(config.windows.size(), read_window(reader, 0));
  config.experts = read_experts(reader, config, {.count_key = "num_local_experts", .count = 8, .a_token = 2});
  config.experts.width = config.feed_forward;
  config.experts.normalised = true;
  if (reader.number("router_jitter_noise", 0) != 0) reader.fail("router_jitter_noise", "a noise", "0");
  return config;
}

struct Block {
  static Outline outline() { return {}; }

  Block(const Weights& weights, std::int64_t)
      : before(weights.norm(NormKind::rms, "input_layernorm", weights.config().width)),
        qkv(weights.queries_keys_values("self_attn.")),
        out(weights.attention_out("self_attn.o_proj")),
        after(weights.norm(NormKind::rms, "post_attention_layernorm", weights.config().width)),
        experts(weights.in("block_sparse_moe."), {"w1", "w3", "w2"}),
        attention(weights.attention()) {}

  Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
    const auto [input, sum] = before(x);
    const Heads heads = attention.split(qkv(input, context.adapted), context.angles);
    const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
    const auto [inner, middle] = after({context.kept(sum), attended});
    const auto [mixed, routing] = experts(inner);
    return {middle, mixed, routing};
  }

  // Without the experts, as in PEFT: on the other side they are no linear modules.
  std::vector<Linear*> linears() { return {&qkv, &out}; }

  Norm before;
  Linear qkv, out;
  Norm after;
  Experts experts;
  AttentionShape attention;
};

}  // namespace

constinit const FamilyRow mixtral =
    family_row<Block>({.model_type = "mixtral",
                       .architecture = "MixtralForCausalLM",
                       .classifier = "MixtralForSequenceClassification",
                       .summary = "Mistral with experts: each token visits two of eight feed-forward parts",
                       .paper = "Jiang et al. 2024, Mixtral of experts, arXiv:2401.04088",
                       .read_config = read_config});

}  // namespace attune::families
