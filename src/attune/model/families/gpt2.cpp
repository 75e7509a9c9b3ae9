// GPT-2: learned positions, layer norms with biases, fused projections that files store transposed (Conv1D). Dropout
// rates in configs are ignored: attune trains without dropout.
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>

#include <cmath>

#include "attune/model/families.h"

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
  config.qkv_bias = config.out_bias = config.mlp_bias = true;
  const std::string activation = reader.string("activation_function", "gelu_new");
  if (activation != "gelu_new" && activation != "gelu_pytorch_tanh") {
    reader.fail("activation_function", json_quote(activation), "gelu_new");
  }
  reader.only("scale_attn_weights", true);
  reader.only("scale_attn_by_inverse_layer_idx", false);
  reader.only("add_cross_attention", false);
  if (config.heads < 1 || config.width % config.heads != 0) {
    reader.fail("n_head", std::to_string(config.heads), "a divisor of n_embd");
  }
  if (config.layers < 1 || config.layers > 4096)
    reader.fail("n_layer", std::to_string(config.layers), "from 1 to 4096");
  config.head_width = config.width / config.heads;
  config.windows.assign(static_cast<std::size_t>(config.layers), 0);
  return config;
}

std::string block_path(std::int64_t layer) { return "transformer.h." + std::to_string(layer) + "."; }

std::vector<ParameterSpec> parameters(const ModelConfig& config) {
  const double deviation = config.initializer_range;
  const double into_residual = deviation / std::sqrt(2 * static_cast<double>(config.layers));
  std::vector<ParameterSpec> specs;
  const auto conv = [&](const std::string& path, std::int64_t rows, std::int64_t columns, double spread) {
    add_matrix(specs, {{{path, rows}}, columns, true, true, spread});
  };
  add_matrix(specs, {{{"transformer.wte", config.vocabulary}}, config.width, false, false, deviation});
  add_matrix(specs, {{{"transformer.wpe", config.max_positions}}, config.width, false, false, deviation});
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string path = block_path(layer);
    add_norm(specs, path + "ln_1", config.width, true);
    conv(path + "attn.c_attn", 3 * config.width, config.width, deviation);
    conv(path + "attn.c_proj", config.width, config.width, into_residual);
    add_norm(specs, path + "ln_2", config.width, true);
    conv(path + "mlp.c_fc", config.feed_forward, config.width, deviation);
    conv(path + "mlp.c_proj", config.width, config.feed_forward, into_residual);
  }
  add_norm(specs, "transformer.ln_f", config.width, true);
  if (!config.tied) add_matrix(specs, {{{"lm_head", config.vocabulary}}, config.width, false, false, deviation});
  return specs;
}

struct LayerNorm {
  Tensor weight, bias;
  Tensor operator()(const Tensor& x, double epsilon) const {
    return at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
  }
};

LayerNorm bind_norm(const Parameters& weights, const std::string& path) {
  return {weights.leaf_of(path + ".weight"), weights.leaf_of(path + ".bias")};
}

class Gpt2 final : public Family {
 public:
  Gpt2(const ModelConfig& config, const Parameters& weights) : config_(config) {
    embedding_ = weights.leaf_of("transformer.wte.weight");
    positions_ = weights.leaf_of("transformer.wpe.weight");
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      const std::string path = block_path(layer);
      blocks_.push_back({.before = bind_norm(weights, path + "ln_1"),
                         .after = bind_norm(weights, path + "ln_2"),
                         .qkv = bind_linear(weights, path + "attn.c_attn"),
                         .out = bind_linear(weights, path + "attn.c_proj"),
                         .up = bind_linear(weights, path + "mlp.c_fc"),
                         .down = bind_linear(weights, path + "mlp.c_proj")});
    }
    norm_ = bind_norm(weights, "transformer.ln_f");
    head_ = config.tied ? embedding_ : weights.leaf_of("lm_head.weight");
  }

  Tensor embed(const Tensor& ids, const Tensor& positions) const override {
    return embedding_rows(embedding_, ids) + embedding_rows(positions_, positions);
  }

  Residual block(std::size_t layer, const Residual& x, const BlockContext& context) const override {
    const Block& block = blocks_[layer];
    const Tensor sum = x.delta.defined() ? x.sum + x.delta : x.sum;
    const Tensor input = block.before(sum, config_.norm_epsilon);
    const Heads heads = split_heads(block.qkv(input, context.adapted), config_.heads, config_.heads, {}, {});
    const double scale = 1 / std::sqrt(static_cast<double>(config_.head_width));
    const Tensor mixed = context.kept((*context.attention)(layer, heads, scale));
    const TokenRanges& adapted = context.kept_adapted();
    const Tensor middle = context.kept(sum) + block.out(mixed.reshape({mixed.size(0), -1}), adapted);
    const Tensor inner = block.up(block.after(middle, config_.norm_epsilon), adapted);
    return {middle, block.down(at::gelu(inner, "tanh"), adapted)};
  }

  Tensor norm(const Residual& x) const override {
    return norm_(x.delta.defined() ? x.sum + x.delta : x.sum, config_.norm_epsilon);
  }
  const Tensor& head() const override { return head_; }

  std::vector<Linear*> linears() override {
    std::vector<Linear*> result;
    for (Block& block : blocks_) result.insert(result.end(), {&block.qkv, &block.out, &block.up, &block.down});
    return result;
  }
  std::vector<std::string> default_targets() const override { return {"c_attn"}; }
  bool uses_rotary() const override { return false; }

 private:
  struct Block {
    LayerNorm before, after;
    Linear qkv, out, up, down;
  };
  ModelConfig config_;
  Tensor embedding_, positions_, head_;
  LayerNorm norm_;
  std::vector<Block> blocks_;
};

std::unique_ptr<Family> bind(const ModelConfig& config, const Parameters& weights) {
  return std::make_unique<Gpt2>(config, weights);
}

// The first released files lack the "transformer." of later ones, and hold the causal mask as a buffer.
std::string stored_name(std::string_view file_name) {
  if (file_name.ends_with(".attn.bias") || file_name.ends_with(".attn.masked_bias")) return {};
  if (file_name.starts_with("transformer.") || file_name.starts_with("lm_head.")) return std::string(file_name);
  return "transformer." + std::string(file_name);
}

}  // namespace

const FamilyRow gpt2{"gpt2", "GPT2LMHeadModel", read_config, parameters, bind, stored_name};

}  // namespace attune::families
