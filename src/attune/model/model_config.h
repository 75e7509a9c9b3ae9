// What a Hugging Face config.json says about a transformer, checked: what attune cannot compute is refused by key, and
// never ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/model/rotary.h"

namespace attune {

enum class Activation { silu, gelu, gelu_tanh, relu };

// A feed-forward part that sends each token to a few of many (Shazeer et al. 2017, "Outrageously large neural
// networks").
struct ExpertsConfig {
  std::int64_t count = 0, a_token = 0;  // experts, and how many of them a token visits
  std::int64_t width = 0;               // of one expert
  std::int64_t shared_width = 0;        // of one that every token visits; 0: none
  bool normalised = false;              // the weights of a token's experts sum to 1
  double balance = 0;                   // factor of the load-balancing loss (router_aux_loss_coef)
  std::vector<bool> in_layer = {};      // false: a plain feed-forward part there
};

struct ModelConfig {
  std::string family = {};  // model_type
  std::int64_t vocabulary = 0, width = 0, layers = 0, heads = 0, kv_heads = 0, head_width = 0, feed_forward = 0;
  std::int64_t max_positions = 0;  // of the training; a hard limit only for learned positions
  double norm_epsilon = 1e-5;
  bool tied = false;  // the head is the embedding
  bool qkv_bias = false, out_bias = false, mlp_bias = false;
  bool query_key_norm = false;                        // where it is a choice
  bool parallel = false;                              // attention and feed-forward part read the same state
  std::int64_t parallel_norms = 1;                    // 2: each through a norm of its own
  Activation activation = Activation::silu;           // of the feed-forward part
  std::vector<std::int64_t> windows = {};             // of each layer, 0: sees everything
  RotaryConfig rotary = {};                           // width 0: none
  std::optional<RotaryConfig> local_rotary = {};      // of layers with a window, where it is another
  std::vector<bool> unrotated = {};                   // layers without positions; empty: none
  double attention_scale = 0;                         // of the scores; 0: 1 / sqrt(head_width)
  double attention_soft_cap = 0, logit_soft_cap = 0;  // 0: none
  double embedding_scale = 1, residual_scale = 1, logit_scale = 1;
  ExpertsConfig experts = {};
  std::int64_t labels = 0;      // a sequence classifier: rows of its score head; 0: a language model
  std::int64_t pad_token = -1;  // which classifiers skip at the end of a sequence; -1: none
  double initializer_range = 0.02;
  Json source = Json::object();  // the file as it was, unknown keys included: what is saved again
};

// `path` is for messages only. Throws FormatError naming the key.
ModelConfig parse_model_config(const Json& config, const Path& path);
// Reads <path> (a config.json, or a folder that holds one).
ModelConfig read_model_config(const Path& path);

// The config of a sequence classifier with these labels, of the family's own class for that, as it will be saved.
// FormatError when the family has none. `path` is for messages only.
ModelConfig classifier_config(ModelConfig config, const std::vector<std::string>& labels, const Path& path);

// Throws FormatError when token ids reach beyond the embedding. `tokens`: the largest id of the tokenizer, plus one.
void require_vocabulary(const ModelConfig& config, std::int64_t tokens, const Path& tokenizer);

}  // namespace attune
