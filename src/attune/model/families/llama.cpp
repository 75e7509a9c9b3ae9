// Llama 2 and 3, SmolLM, Mistral and Qwen2: rotary positions, RMS norms, grouped key-value heads, a gated feed-forward.
// Mistral adds a sliding window, Qwen2 biases on the projections.
#include <algorithm>
#include <cmath>

#include "attune/model/families.h"

namespace attune::families {
namespace {

RotaryConfig read_rotary(const ConfigReader& reader) {
  // Newer configs hold everything in rope_parameters; older ones rope_theta beside an optional rope_scaling.
  const bool newer = reader.find("rope_parameters") != nullptr;
  const std::string key = newer ? "rope_parameters" : "rope_scaling";
  RotaryConfig rotary{.theta = reader.number("rope_theta", 10000)};
  if (const Json* values = reader.find(key)) {
    const ConfigReader scaling(*values, reader.path(), key + ".");
    rotary.theta = scaling.number("rope_theta", rotary.theta);
    rotary.scaling = scaling.string("rope_type", scaling.string("type", "default"));
    if (rotary.scaling != "default" && rotary.scaling != "linear" && rotary.scaling != "llama3") {
      scaling.fail("rope_type", json_quote(rotary.scaling), "one of default, linear, llama3");
    }
    rotary.factor = scaling.number("factor", 1);
    rotary.low_frequency_factor = scaling.number("low_freq_factor", 1);
    rotary.high_frequency_factor = scaling.number("high_freq_factor", 4);
    rotary.original_positions = scaling.integer("original_max_position_embeddings", 8192);
    if (rotary.scaling != "default" && scaling.find("factor") == nullptr) scaling.fail("factor", "nothing", "a number");
    if (scaling.number("partial_rotary_factor", 1) != 1) scaling.fail("partial_rotary_factor", "a part", "1");
    if (!(rotary.factor > 0)) scaling.fail("factor", format_double(rotary.factor), "a number above 0");
    if (!(rotary.high_frequency_factor > rotary.low_frequency_factor)) {
      scaling.fail("high_freq_factor", format_double(rotary.high_frequency_factor), "more than low_freq_factor");
    }
  }
  if (reader.number("partial_rotary_factor", 1) != 1) reader.fail("partial_rotary_factor", "a part", "1");
  if (!(rotary.theta > 0)) reader.fail("rope_theta", format_double(rotary.theta), "a number above 0");
  return rotary;
}

ModelConfig read_common(const ConfigReader& reader) {
  ModelConfig config;
  config.vocabulary = reader.integer("vocab_size");
  config.width = reader.integer("hidden_size");
  config.layers = reader.integer("num_hidden_layers");
  config.heads = reader.integer("num_attention_heads");
  config.kv_heads = reader.integer("num_key_value_heads", config.heads);
  config.feed_forward = reader.integer("intermediate_size");
  config.max_positions = reader.integer("max_position_embeddings", 2048);
  config.norm_epsilon = reader.number("rms_norm_eps", 1e-6);
  config.tied = reader.boolean("tie_word_embeddings", false);
  config.initializer_range = reader.number("initializer_range", 0.02);
  config.rotary = read_rotary(reader);
  reader.only("hidden_act", "silu");
  if (config.layers < 1 || config.layers > 4096) {
    reader.fail("num_hidden_layers", std::to_string(config.layers), "from 1 to 4096");
  }
  config.windows.assign(static_cast<std::size_t>(config.layers), 0);
  if (reader.find("head_dim") == nullptr && (config.heads < 1 || config.width % config.heads != 0)) {
    reader.fail("num_attention_heads", std::to_string(config.heads), "a divisor of hidden_size");
  }
  config.head_width = reader.integer("head_dim", config.heads > 0 ? config.width / config.heads : 0);
  if (config.head_width % 2 != 0) reader.fail("head_dim", std::to_string(config.head_width), "an even number");
  return config;
}

ModelConfig read_llama(const ConfigReader& reader) {
  ModelConfig config = read_common(reader);
  config.qkv_bias = config.out_bias = reader.boolean("attention_bias", false);
  config.mlp_bias = reader.boolean("mlp_bias", false);
  if (reader.integer("pretraining_tp", 1) != 1) reader.fail("pretraining_tp", "a split computation", "1");
  return config;
}

std::int64_t read_window(const ConfigReader& reader, std::int64_t otherwise) {
  const std::int64_t window = reader.integer("sliding_window", otherwise);
  if (window < 0) reader.fail("sliding_window", std::to_string(window), "at least 1, or null");
  return window;
}

ModelConfig read_mistral(const ConfigReader& reader) {
  ModelConfig config = read_common(reader);
  // An absent key means the library's default of 4,096; null means no window. find() does not tell these apart.
  config.windows.assign(config.windows.size(), read_window(reader, reader.has("sliding_window") ? 0 : 4096));
  return config;
}

ModelConfig read_qwen2(const ConfigReader& reader) {
  ModelConfig config = read_common(reader);
  config.qkv_bias = true;
  if (!reader.boolean("use_sliding_window", false)) return config;
  const std::int64_t window = read_window(reader, 4096), first = reader.integer("max_window_layers", 28);
  for (std::int64_t layer = std::max<std::int64_t>(0, first); layer < config.layers; ++layer) {
    config.windows[static_cast<std::size_t>(layer)] = window;
  }
  return config;
}

std::string block_path(std::int64_t layer) { return "model.layers." + std::to_string(layer) + "."; }

std::vector<ParameterSpec> parameters(const ModelConfig& config) {
  const double deviation = config.initializer_range;
  const std::int64_t queries = config.heads * config.head_width, keys = config.kv_heads * config.head_width;
  std::vector<ParameterSpec> specs;
  add_matrix(specs, {{{"model.embed_tokens", config.vocabulary}}, config.width, false, false, deviation});
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string path = block_path(layer), attention = path + "self_attn.", mlp = path + "mlp.";
    add_norm(specs, path + "input_layernorm", config.width, false);
    add_matrix(specs, {{{attention + "q_proj", queries}, {attention + "k_proj", keys}, {attention + "v_proj", keys}},
                       config.width,
                       config.qkv_bias,
                       false,
                       deviation});
    add_matrix(specs, {{{attention + "o_proj", config.width}}, queries, config.out_bias, false, deviation});
    add_norm(specs, path + "post_attention_layernorm", config.width, false);
    add_matrix(specs, {{{mlp + "gate_proj", config.feed_forward}, {mlp + "up_proj", config.feed_forward}},
                       config.width,
                       config.mlp_bias,
                       false,
                       deviation});
    add_matrix(specs, {{{mlp + "down_proj", config.width}}, config.feed_forward, config.mlp_bias, false, deviation});
  }
  add_norm(specs, "model.norm", config.width, false);
  if (!config.tied) add_matrix(specs, {{{"lm_head", config.vocabulary}}, config.width, false, false, deviation});
  return specs;
}

class Llama final : public Family {
 public:
  Llama(const ModelConfig& config, const Parameters& weights) : config_(config) {
    embedding_ = weights.leaf_of("model.embed_tokens.weight");
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      const std::string path = block_path(layer);
      blocks_.push_back({.before = weights.leaf_of(path + "input_layernorm.weight"),
                         .after = weights.leaf_of(path + "post_attention_layernorm.weight"),
                         .qkv = bind_linear(weights, path + "self_attn.q_proj"),
                         .out = bind_linear(weights, path + "self_attn.o_proj"),
                         .gate_up = bind_linear(weights, path + "mlp.gate_proj"),
                         .down = bind_linear(weights, path + "mlp.down_proj")});
    }
    norm_ = weights.leaf_of("model.norm.weight");
    head_ = config.tied ? embedding_ : weights.leaf_of("lm_head.weight");
  }

  Tensor embed(const Tensor& ids, const Tensor& /*positions*/) const override {
    return embedding_rows(embedding_, ids);
  }

  Residual block(std::size_t layer, const Residual& x, const BlockContext& context) const override {
    const Block& block = blocks_[layer];
    const auto [input, sum] = rms_norm_residual(x.sum, x.delta, block.before, config_.norm_epsilon);
    const Heads heads =
        split_heads(block.qkv(input, context.adapted), config_.heads, config_.kv_heads, context.cosines, context.sines);
    const double scale = 1 / std::sqrt(static_cast<double>(config_.head_width));
    const Tensor mixed = context.kept((*context.attention)(layer, heads, scale));
    const TokenRanges& adapted = context.kept_adapted();
    const Tensor attended = block.out(mixed.reshape({mixed.size(0), -1}), adapted);
    const auto [inner, middle] = rms_norm_residual(context.kept(sum), attended, block.after, config_.norm_epsilon);
    return {middle, block.down(swiglu(block.gate_up(inner, adapted)), adapted)};
  }

  Tensor norm(const Residual& x) const override {
    return rms_norm_residual(x.sum, x.delta, norm_, config_.norm_epsilon).normed;
  }
  const Tensor& head() const override { return head_; }

  std::vector<Linear*> linears() override {
    std::vector<Linear*> result;
    for (Block& block : blocks_) result.insert(result.end(), {&block.qkv, &block.out, &block.gate_up, &block.down});
    return result;
  }
  std::vector<std::string> default_targets() const override { return {"q_proj", "v_proj"}; }

 private:
  struct Block {
    Tensor before, after;
    Linear qkv, out, gate_up, down;
  };
  ModelConfig config_;
  Tensor embedding_, norm_, head_;
  std::vector<Block> blocks_;
};

std::unique_ptr<Family> bind(const ModelConfig& config, const Parameters& weights) {
  return std::make_unique<Llama>(config, weights);
}

std::string stored_name(std::string_view file_name) {
  return file_name.ends_with(".rotary_emb.inv_freq") ? std::string() : std::string(file_name);
}

}  // namespace

const FamilyRow llama{"llama", "LlamaForCausalLM", read_llama, parameters, bind, stored_name};
const FamilyRow mistral{"mistral", "MistralForCausalLM", read_mistral, parameters, bind, stored_name};
const FamilyRow qwen2{"qwen2", "Qwen2ForCausalLM", read_qwen2, parameters, bind, stored_name};

}  // namespace attune::families
