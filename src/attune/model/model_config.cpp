#include "attune/model/model_config.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attune/base/errors.h"
#include "attune/model/config_reader.h"
#include "attune/model/families.h"

namespace attune {
namespace {

// Sizes beyond these are damage or an attack: a tensor's bytes stay below 2^53, so products cannot overflow.
constexpr std::int64_t most_layers = 4096, most_width = 1 << 20, most_vocabulary = 1 << 24, most_positions = 1 << 28;

void check_sizes(const ModelConfig& config, const ConfigReader& reader) {
  const auto within = [&](std::string_view what, std::int64_t value, std::int64_t most) {
    if (value < 1 || value > most) {
      reader.fail(what, std::to_string(value), "from 1 to " + std::to_string(most));
    }
  };
  within("the number of layers", config.layers, most_layers);
  within("the width", config.width, most_width);
  within("the feed-forward width", config.feed_forward, most_width * 4);
  within("vocab_size", config.vocabulary, most_vocabulary);
  within("the number of positions", config.max_positions, most_positions);
  within("the number of heads", config.heads, most_width);
  within("the number of key-value heads", config.kv_heads, config.heads);
  within("head_dim", config.head_width, most_width);
  if (config.heads * config.head_width > most_width) {
    reader.fail("the number of heads", std::to_string(config.heads), "heads of a common size");
  }
  if (config.heads % config.kv_heads != 0) {
    reader.fail("num_key_value_heads", std::to_string(config.kv_heads),
                "a divisor of the " + std::to_string(config.heads) + " heads");
  }
}

}  // namespace

ModelConfig parse_model_config(const Json& config, const Path& path) {
  const ConfigReader reader(config, path);
  const std::string type = reader.string("model_type", "");
  const FamilyRow* row = find_family(type);
  if (row == nullptr) {
    reader.fail("model_type", type.empty() ? "nothing" : json_quote(type), "one of " + family_names());
  }
  if (const Json* quantized = config.find("quantization_config"); quantized != nullptr && !quantized->is_null()) {
    reader.fail("quantization_config", "quantised weights", "weights in float32, bfloat16 or float16");
  }
  ModelConfig result = row->read_config(reader);
  result.family = type;
  result.source = config;
  check_sizes(result, reader);
  return result;
}

ModelConfig read_model_config(const Path& path) {
  const Path file = std::filesystem::is_directory(path) ? path / "config.json" : path;
  try {
    return parse_model_config(Json::parse(read_file(file)), file);
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = file.string()}, "no valid JSON (" + error.reason + ")", "a model's config");
  }
}

void require_vocabulary(const ModelConfig& config, std::int64_t tokens, const Path& tokenizer) {
  if (tokens <= config.vocabulary) return;
  throw FormatError({.file = tokenizer.string()}, std::to_string(tokens) + " token ids",
                    "at most the " + std::to_string(config.vocabulary) + " rows of the model's embedding",
                    "use the tokenizer that belongs to the model");
}

std::vector<double> rotary_frequencies(const ModelConfig& config) {
  const RotaryConfig& rotary = config.rotary;
  std::vector<double> result;
  for (std::int64_t i = 0; i < config.head_width / 2; ++i) {
    double frequency = std::pow(rotary.theta, -2.0 * static_cast<double>(i) / static_cast<double>(config.head_width));
    if (rotary.scaling == "linear") frequency /= rotary.factor;
    if (rotary.scaling == "llama3") {
      // Long waves are stretched by `factor`, short ones kept, those between interpolated (Llama 3.1's released code).
      const double wave = 2 * std::numbers::pi / frequency;
      const auto original = static_cast<double>(rotary.original_positions);
      const double smooth = (original / wave - rotary.low_frequency_factor) /
                            (rotary.high_frequency_factor - rotary.low_frequency_factor);
      const double kept = std::clamp(smooth, 0.0, 1.0);
      frequency = (1 - kept) * frequency / rotary.factor + kept * frequency;
    }
    result.push_back(frequency);
  }
  return result;
}

}  // namespace attune
