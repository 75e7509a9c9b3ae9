// What tells byte-level tokenizers of known model families apart, for files that give only their name: how a text is
// split, whether it is normalized, and whether a whole word that is a token needs no merges.
#pragma once

#include <optional>
#include <string_view>

#include "attune/base/json.h"

namespace attune {

struct ByteLevelFamily {
  Json pre_tokenizer = {};  // as in tokenizer.json
  Json normalizer = {};     // the same, or null
  bool whole_words = false;
};

// By the names of GGUF's tokenizer.ggml.pre ("llama-bpe", "qwen2", "deepseek-coder", ...) and of tiktoken's encodings.
std::optional<ByteLevelFamily> byte_level_family(std::string_view name);

}  // namespace attune
