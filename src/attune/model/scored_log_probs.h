// Log-probabilities of chosen tokens without ever holding the logits of all rows: the head runs chunk by chunk, forward
// and backward. Logits of a chunk are kept for the backward pass while `head_cache` lasts, else computed again there.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "attune/model/head.h"
#include "attune/model/vocabulary.h"
#include "attune/tensor/torch.h"

namespace attune {

// Hidden states after the final norm, and the head that turns them into logits.
struct HeadInput {
  Tensor hidden = {};  // [N, d]
  Head head = {};
};

struct ScoreOptions {
  std::uint64_t head_cache = std::uint64_t{1} << 30;  // bytes of logits kept for the backward pass
  std::int64_t chunk_rows = 256;                      // rows of the head at once
  std::vector<VocabularyTerm> vocabulary = {};
  std::map<std::string, HeadInput> models = {};  // frozen, by the names that terms use
};

struct ScoredTokens {
  Tensor logps;                              // [N], nats
  std::map<std::string, Tensor> vocabulary;  // [N] each, by the term's name
};

// targets [N]: int64 ids. Gradients flow to input.hidden and the head, from logps and from every column.
ScoredTokens scored_log_probs(const HeadInput& input, const Tensor& targets, const ScoreOptions& options);

}  // namespace attune
