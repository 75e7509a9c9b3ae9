// Small random models whose logits vary enough (standard deviation about 1 and more) for a comparison to mean
// something.
#pragma once

#include <string>

#include "attune/base/json.h"
#include "attune/base/random.h"
#include "attune/model/language_model.h"

namespace attune::testing {

inline constexpr const char* tiny_llama = R"({"model_type": "llama", "vocab_size": 61, "hidden_size": 24,
  "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 40,
  "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "initializer_range": 0.25, "tie_word_embeddings": false})";
inline constexpr const char* tiny_mistral = R"({"model_type": "mistral", "vocab_size": 61, "hidden_size": 24,
  "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 40,
  "sliding_window": 5, "initializer_range": 0.25, "tie_word_embeddings": false})";
inline constexpr const char* tiny_qwen2 = R"({"model_type": "qwen2", "vocab_size": 61, "hidden_size": 24,
  "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 1, "intermediate_size": 40,
  "initializer_range": 0.25, "tie_word_embeddings": true})";
inline constexpr const char* tiny_gpt2 = R"({"model_type": "gpt2", "vocab_size": 61, "n_embd": 24, "n_layer": 2,
  "n_head": 4, "n_positions": 96, "initializer_range": 0.25})";
inline constexpr const char* tiny_configs[] = {tiny_llama, tiny_mistral, tiny_qwen2, tiny_gpt2};

inline LanguageModel tiny_model(const char* config, at::ScalarType dtype = at::kDouble, std::uint64_t seed = 1) {
  return LanguageModel::random(parse_model_config(Json::parse(config), "config.json"), seed, dtype);
}

// `count` token ids below 61.
inline std::vector<std::int32_t> random_ids(Random& random, std::int64_t count) {
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int32_t>(random.below(61)));
  return ids;
}

// The largest absolute difference; NaN when a value is.
inline double distance(const Tensor& a, const Tensor& b) {
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

}  // namespace attune::testing
