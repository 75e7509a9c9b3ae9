// What a Hugging Face config.json says about a transformer, checked: what attune cannot compute is refused by key, and
// never ignored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"

namespace attune {

// Rotary positions. Angles of frequency i: position * frequencies[i].
struct RotaryConfig {
  double theta = 10000;
  std::string scaling = "default";  // default, linear, llama3
  double factor = 1;
  double low_frequency_factor = 1, high_frequency_factor = 4;  // llama3
  std::int64_t original_positions = 8192;                      // llama3
};

struct ModelConfig {
  std::string family = {};  // model_type: llama, mistral, qwen2, gpt2
  std::int64_t vocabulary = 0, width = 0, layers = 0, heads = 0, kv_heads = 0, head_width = 0, feed_forward = 0;
  std::int64_t max_positions = 0;  // of the training; a hard limit only for learned positions
  double norm_epsilon = 1e-5;
  bool tied = false;  // the head is the embedding
  bool qkv_bias = false, out_bias = false, mlp_bias = false;
  std::vector<std::int64_t> windows = {};  // of each layer, 0: sees everything
  RotaryConfig rotary = {};
  double initializer_range = 0.02;
  Json source = Json::object();  // the file as it was, unknown keys included: what is saved again
};

// `path` is for messages only. Throws FormatError naming the key.
ModelConfig parse_model_config(const Json& config, const Path& path);
// Reads <path> (a config.json, or a folder that holds one).
ModelConfig read_model_config(const Path& path);

// Throws FormatError when token ids reach beyond the embedding. `tokens`: the largest id of the tokenizer, plus one.
void require_vocabulary(const ModelConfig& config, std::int64_t tokens, const Path& tokenizer);

// Angles per position of the rotary embedding, head_width / 2 of them, with the scaling applied.
std::vector<double> rotary_frequencies(const ModelConfig& config);

}  // namespace attune
