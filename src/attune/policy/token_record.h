// A record as token ids: what encoding makes of it and batches are laid out from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/policy/layout.h"

namespace attune {

struct TokenCompletion {
  std::vector<std::int32_t> ids = {};
  std::vector<std::uint8_t> scored = {};  // as long as ids: 1 where the token is part of an answer
};

// All completions continue one prompt, the longest beginning they share before the first scored token. A prompt may be
// empty; then a completion's first token has no predictor and is never scored.
struct TokenRecord {
  std::string id = {};   // the record's, may be empty
  std::int64_t row = 0;  // of the record in its data set: what addresses it when it has no id
  std::vector<std::int32_t> prompt = {};
  std::vector<TokenCompletion> completions = {};
  std::vector<std::int64_t> scored_tokens = {};  // of each completion
  std::vector<RecordView::Preference> preferences = {};
  std::vector<double> scores = {};       // of each completion, NaN: none; or empty
  std::vector<std::int8_t> thumbs = {};  // of each completion; or empty

  RecordView view(std::int64_t index) const {
    return {
        .index = index, .scored_tokens = scored_tokens, .preferences = preferences, .scores = scores, .thumbs = thumbs};
  }
  // Tokens of the prompt once and of every completion.
  std::int64_t tokens() const {
    std::size_t sum = prompt.size();
    for (const auto& completion : completions) sum += completion.ids.size();
    return static_cast<std::int64_t>(sum);
  }
};

}  // namespace attune
