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
  bool alone = false;                     // ids hold a prompt of its own; it does not continue the record's
};

// All completions but those that stand alone continue one prompt, the longest beginning they share before the first
// scored token. A prompt may be empty; then a completion's first token has no predictor and is never scored.
struct TokenRecord {
  std::string id = {};   // the record's, may be empty
  std::int64_t row = 0;  // of the record in its data set: what addresses it when it has no id
  std::vector<std::int32_t> prompt = {};
  std::vector<TokenCompletion> completions = {};
  std::vector<std::int64_t> scored_tokens = {};    // of each completion
  std::vector<std::int64_t> sequence_tokens = {};  // of each completion: all tokens of prompt and completion
  std::vector<RecordView::Preference> preferences = {}, ballots = {};
  std::vector<CompletionLabels> labels = {};  // of each completion; or empty
  std::vector<std::int8_t> thumbs = {};       // of each completion; or empty
  std::int32_t reference_answer = -1;         // the completion that is the gold answer; -1: none

  RecordView view(std::int64_t index) const {
    return {.index = index,
            .scored_tokens = scored_tokens,
            .sequence_tokens = sequence_tokens,
            .preferences = preferences,
            .ballots = ballots,
            .labels = labels,
            .thumbs = thumbs,
            .reference_answer = reference_answer};
  }
  // Tokens of the prompt once and of every completion.
  std::int64_t tokens() const {
    std::size_t sum = prompt.size();
    for (const auto& completion : completions) sum += completion.ids.size();
    return static_cast<std::int64_t>(sum);
  }
};

}  // namespace attune
