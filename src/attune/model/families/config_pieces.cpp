#include "attune/model/families/config_pieces.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace attune::families {
namespace {

const std::map<std::string, RotaryScaling, std::less<>> scalings = {
    {"default", RotaryScaling::none}, {"linear", RotaryScaling::linear}, {"dynamic", RotaryScaling::dynamic},
    {"yarn", RotaryScaling::yarn},    {"llama3", RotaryScaling::llama3}, {"longrope", RotaryScaling::longrope},
    {"su", RotaryScaling::longrope}};

std::vector<double> read_factors(const ConfigReader& reader, std::string_view key, std::int64_t count) {
  const Json* list = reader.find(key);
  if (list == nullptr || !list->is_array() || static_cast<std::int64_t>(list->size()) != count) {
    reader.fail(key, list == nullptr ? "nothing" : "another list", "a list of " + std::to_string(count) + " numbers");
  }
  std::vector<double> factors;
  for (const Json& value : list->items()) {
    if (!value.is_number() || !(value.number() > 0))
      reader.fail(key, "a factor that is not above 0", "numbers above 0");
    factors.push_back(value.number());
  }
  return factors;
}

// YaRN, section 3.4: what the scores grow by, as a factor of cosines and sines.
double yarn_magnitude(const ConfigReader& values, double factor) {
  const auto grown = [&](double share) { return factor <= 1 ? 1 : 0.1 * share * std::log(factor) + 1; };
  const double above = values.number("mscale", 0), below = values.number("mscale_all_dim", 0);
  const double by_rule = above != 0 && below != 0 ? grown(above) / grown(below) : grown(1);
  return values.number("attention_factor", by_rule);
}

double longrope_magnitude(const ConfigReader& values, const RotaryConfig& rotary) {
  const double original = std::log(static_cast<double>(rotary.positions));
  const double by_rule = rotary.factor <= 1 ? 1 : std::sqrt(1 + std::log(rotary.factor) / original);
  return values.number("attention_factor", by_rule);
}

// What a scaling needs beyond the frequencies' base.
void read_scaling(RotaryConfig& rotary, const ConfigReader& values, const ConfigReader& outer,
                  const ModelConfig& config) {
  if (rotary.scaling == RotaryScaling::none) return;
  rotary.positions = config.max_positions;
  const bool ratio = rotary.scaling == RotaryScaling::yarn || rotary.scaling == RotaryScaling::longrope;
  if (rotary.scaling != RotaryScaling::linear && rotary.scaling != RotaryScaling::dynamic) {
    const std::int64_t own = values.integer("original_max_position_embeddings", config.max_positions);
    rotary.positions = outer.integer("original_max_position_embeddings", own);
    if (rotary.positions < 2)
      values.fail("original_max_position_embeddings", std::to_string(rotary.positions), "2 or more");
  }
  if (!ratio && values.find("factor") == nullptr) values.fail("factor", "nothing", "a number");
  rotary.factor = values.number("factor", static_cast<double>(config.max_positions) /
                                              static_cast<double>(std::max<std::int64_t>(1, rotary.positions)));
  if (!(rotary.factor > 0)) values.fail("factor", format_double(rotary.factor), "a number above 0");
  if (rotary.scaling == RotaryScaling::llama3) {
    rotary.low_frequency_factor = values.number("low_freq_factor", 1);
    rotary.high_frequency_factor = values.number("high_freq_factor", 4);
    if (!(rotary.high_frequency_factor > rotary.low_frequency_factor)) {
      values.fail("high_freq_factor", format_double(rotary.high_frequency_factor), "more than low_freq_factor");
    }
  } else if (rotary.scaling == RotaryScaling::yarn) {
    rotary.fast_turns = values.number("beta_fast", 32);
    rotary.slow_turns = values.number("beta_slow", 1);
    if (!(rotary.slow_turns > 0) || !(rotary.fast_turns > rotary.slow_turns)) {
      values.fail("beta_fast", format_double(rotary.fast_turns), "more than beta_slow, both above 0");
    }
    rotary.whole_channels = values.boolean("truncate", true);
    rotary.magnitude = yarn_magnitude(values, rotary.factor);
  } else if (rotary.scaling == RotaryScaling::longrope) {
    rotary.short_factors = read_factors(values, "short_factor", rotary.width / 2);
    rotary.long_factors = read_factors(values, "long_factor", rotary.width / 2);
    rotary.magnitude = longrope_magnitude(values, rotary);
  }
}

}  // namespace

void check_layers(const ModelConfig& config, const ConfigReader& reader, std::string_view key) {
  if (config.layers < 1 || config.layers > 4096) reader.fail(key, std::to_string(config.layers), "from 1 to 4096");
}

void set_head_width(ModelConfig& config, const ConfigReader& reader, std::string_view heads_key) {
  if (config.heads < 1 || config.width % config.heads != 0) {
    reader.fail(heads_key, std::to_string(config.heads), "a divisor of the width");
  }
  config.head_width = config.width / config.heads;
}

ModelConfig read_sizes(const ConfigReader& reader, const SizeDefaults& defaults) {
  ModelConfig config;
  config.vocabulary = reader.integer("vocab_size");
  config.width = reader.integer("hidden_size");
  config.layers = reader.integer("num_hidden_layers");
  config.heads = reader.integer("num_attention_heads");
  config.kv_heads = reader.integer("num_key_value_heads", config.heads);
  config.feed_forward = reader.integer("intermediate_size");
  config.max_positions = reader.integer("max_position_embeddings", defaults.max_positions);
  config.norm_epsilon = reader.number(defaults.epsilon_key, defaults.epsilon);
  config.tied = reader.boolean("tie_word_embeddings", defaults.tied);
  config.initializer_range = reader.number("initializer_range", defaults.deviation);
  check_layers(config, reader, "num_hidden_layers");
  config.windows.assign(static_cast<std::size_t>(config.layers), 0);
  if (reader.find("head_dim") == nullptr) set_head_width(config, reader, "num_attention_heads");
  config.head_width = reader.integer("head_dim", config.head_width);
  return config;
}

RotaryConfig read_rotary_values(const ConfigReader& values, const ConfigReader& outer, const ModelConfig& config,
                                const RotaryDefaults& defaults) {
  RotaryConfig rotary{.theta = values.number("rope_theta", outer.number(defaults.theta_key, defaults.theta))};
  const std::string name = values.string("rope_type", values.string("type", "default"));
  const auto scaling = scalings.find(name);
  if (scaling == scalings.end()) {
    values.fail("rope_type", json_quote(name), "one of default, linear, dynamic, yarn, llama3, longrope");
  }
  rotary.scaling = scaling->second;
  if (!(rotary.theta > 1)) values.fail("rope_theta", format_double(rotary.theta), "a number above 1");
  const double part = values.number("partial_rotary_factor", outer.number(defaults.part_key, defaults.part));
  if (!(part > 0 && part <= 1)) values.fail(defaults.part_key, format_double(part), "above 0 and at most 1");
  rotary.width = static_cast<std::int64_t>(static_cast<double>(config.head_width) * part);
  if (rotary.width < 2 || rotary.width % 2 != 0) {
    values.fail("head_dim", std::to_string(rotary.width) + " channels that turn", "an even number");
  }
  read_scaling(rotary, values, outer, config);
  return rotary;
}

RotaryConfig read_rotary(const ConfigReader& reader, const ModelConfig& config, const RotaryDefaults& defaults) {
  const std::string key = reader.find("rope_parameters") != nullptr ? "rope_parameters" : "rope_scaling";
  const Json* values = reader.find(key);
  if (values == nullptr) return read_rotary_values(reader, reader, config, defaults);
  return read_rotary_values(ConfigReader(*values, reader.path(), key + "."), reader, config, defaults);
}

Activation read_activation(const ConfigReader& reader, std::string_view key, const std::string& otherwise) {
  static const std::map<std::string, Activation, std::less<>> names = {{"silu", Activation::silu},
                                                                       {"swish", Activation::silu},
                                                                       {"gelu", Activation::gelu},
                                                                       {"gelu_new", Activation::gelu_tanh},
                                                                       {"gelu_fast", Activation::gelu_tanh},
                                                                       {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                                                       {"relu", Activation::relu}};
  const std::string name = reader.string(key, otherwise);
  const auto found = names.find(name);
  if (found == names.end()) reader.fail(key, json_quote(name), "one of silu, gelu, gelu_new, gelu_pytorch_tanh, relu");
  return found->second;
}

std::int64_t read_window(const ConfigReader& reader, std::int64_t otherwise) {
  // find() does not tell null from an absent key.
  const std::int64_t window = reader.integer("sliding_window", reader.has("sliding_window") ? 0 : otherwise);
  if (window < 0) reader.fail("sliding_window", std::to_string(window), "at least 1, or null");
  return window;
}

void set_windows(ModelConfig& config, const ConfigReader& reader, std::int64_t window,
                 const std::function<bool(std::int64_t layer)>& slides) {
  const Json* types = reader.find("layer_types");
  if (types != nullptr && (!types->is_array() || static_cast<std::int64_t>(types->size()) != config.layers)) {
    reader.fail("layer_types", "another list", "a name for each of the " + std::to_string(config.layers) + " layers");
  }
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    bool local = false;
    if (types == nullptr) {
      local = slides(layer);
    } else {
      const Json& type = types->items()[static_cast<std::size_t>(layer)];
      local = type.is_string() && type.string() == "sliding_attention";
      if (!local && !(type.is_string() && type.string() == "full_attention")) {
        reader.fail("layer_types", type.is_string() ? json_quote(type.string()) : std::string(type.type_name()),
                    "full_attention or sliding_attention");
      }
    }
    if (local && window < 1) reader.fail("sliding_window", "nothing", "the window of the layers that have one");
    config.windows[static_cast<std::size_t>(layer)] = local ? window : 0;
  }
}

}  // namespace attune::families
