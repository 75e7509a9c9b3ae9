#include "attune/model/families/weights.h"

#include <cmath>

namespace attune::families {

Weights::Weights(const ModelConfig& config)
    : config_(&config), specs_(std::make_shared<std::vector<ParameterSpec>>()) {}

Weights::Weights(const ModelConfig& config, const Parameters& parameters) : Weights(config) {
  parameters_ = &parameters;
}

Weights Weights::in(const std::string& path) const {
  Weights scope = *this;
  scope.path_ += path;
  return scope;
}

Tensor Weights::leaf(const std::string& name) const {
  return parameters_ == nullptr ? Tensor() : parameters_->leaf_of(name);
}

Linear Weights::fused(const std::vector<std::pair<std::string, std::int64_t>>& modules, std::int64_t columns,
                      const LinearOptions& options) const {
  const double deviation = options.deviation > 0 ? options.deviation : config_->initializer_range;
  ParameterSpec weight{.shape = {0, columns}, .parts = {}, .initial = {.deviation = deviation}};
  ParameterSpec bias{.shape = {0}, .parts = {}, .initial = {}};
  Linear linear;
  for (const auto& [name, rows] : modules) {
    const std::string path = path_ + name;
    weight.parts.push_back({path + ".weight", rows, options.transposed});
    bias.parts.push_back({path + ".bias", rows, false});
    linear.modules.push_back({path, weight.shape[0], weight.shape[0] + rows, options.transposed});
    weight.shape[0] += rows;
    bias.shape[0] += rows;
  }
  linear.weight = leaf(weight.parts.front().name);
  if (options.bias) linear.bias = leaf(bias.parts.front().name);
  if (parameters_ == nullptr) {
    specs_->push_back(std::move(weight));
    if (options.bias) specs_->push_back(std::move(bias));
  }
  return linear;
}

Norm Weights::norm(NormKind kind, const std::string& path, std::int64_t width, bool bias) const {
  const std::string weight_name = path_ + path + ".weight", bias_name = path_ + path + ".bias";
  if (parameters_ == nullptr) {
    const double start = kind == NormKind::rms_from_one ? 0 : 1;
    specs_->push_back({{width}, {{weight_name, width, false}}, {.constant = start}});
    if (bias) specs_->push_back({{width}, {{bias_name, width, false}}, {}});
  }
  return {kind, leaf(weight_name), bias ? leaf(bias_name) : Tensor(), config_->norm_epsilon};
}

Norm Weights::norm_by_head(NormKind kind, const std::string& path, std::int64_t heads) const {
  const std::string name = path_ + path + ".weight";
  if (parameters_ == nullptr) {
    specs_->push_back({{heads, config_->head_width}, {{name, heads, false}}, {.constant = 1}});
  }
  return {kind, leaf(name), {}, config_->norm_epsilon};
}

Linear Weights::queries_keys_values(const std::string& path) const {
  const std::int64_t queries = config_->heads * config_->head_width, keys = config_->kv_heads * config_->head_width;
  return fused({{path + "q_proj", queries}, {path + "k_proj", keys}, {path + "v_proj", keys}}, config_->width,
               {.bias = config_->qkv_bias});
}

Linear Weights::attention_out(const std::string& path) const {
  return linear(path, config_->width, config_->heads * config_->head_width, {.bias = config_->out_bias});
}

FeedForward Weights::gated_feed_forward(const std::string& path, std::int64_t width) const {
  return gated_feed_forward(path + "gate_proj", path + "up_proj", path + "down_proj", width);
}

FeedForward Weights::gated_feed_forward(const std::string& gate, const std::string& up, const std::string& down,
                                        std::int64_t width) const {
  return {.up = fused({{gate, width}, {up, width}}, config_->width, {.bias = config_->mlp_bias}),
          .down = linear(down, config_->width, width, {.bias = config_->mlp_bias}),
          .activation = config_->activation,
          .gated = true};
}

FeedForward Weights::feed_forward(const std::string& up, const std::string& down) const {
  return {.up = linear(up, config_->feed_forward, config_->width, {.bias = config_->mlp_bias}),
          .down = linear(down, config_->width, config_->feed_forward, {.bias = config_->mlp_bias}),
          .activation = config_->activation};
}

AttentionShape Weights::attention() const {
  const double scale =
      config_->attention_scale > 0 ? config_->attention_scale : 1 / std::sqrt(static_cast<double>(config_->head_width));
  return {config_->heads, config_->kv_heads, {scale, config_->attention_soft_cap}};
}

}  // namespace attune::families
