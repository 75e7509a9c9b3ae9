// Columns that need the whole distribution over the vocabulary at a scored token. They are reduced chunk by chunk, so
// that logits of [tokens, vocabulary] never exist at once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

struct VocabularyChunk {
  Tensor logits = {};                               // [c, V], the policy's; gradients flow through them
  Tensor targets = {};                              // [c], the scored token ids
  std::map<std::string, Tensor> model_logits = {};  // [c, V] of the frozen models the term names
};

struct VocabularyTerm {
  std::string name = {};
  std::vector<std::string> models = {};                       // frozen models whose logits it wants
  std::function<Tensor(const VocabularyChunk&)> reduce = {};  // [c] or [c, m]
};

}  // namespace attune
