// The cringe penalty of a token that should not have been written: it shall lose against what the model would rather
// have written.
#pragma once

#include "attune/objectives/objective.h"

namespace attune::objectives {

struct CringePenalty {
  int top = 1;            // how many of the most likely other tokens stand against the bad one
  bool detached = false;  // whether gradients stop at those
  void describe(Fields& fields);
  // Logits of the scored token and, after it, of the `top` most likely others, [N, 1 + top].
  VocabularyTerm logits() const;
  // Adolphs et al. 2022, of every token of the rejected responses, 0 for others, summed by response, [R]:
  //   -log(exp(s+) / (exp(s+) + exp(s-))),  s- the token's logit, s+ drawn from a softmax over the top others.
  // Draws are those of the stream "objective/cringe" for the step, record, completion and token.
  Tensor of_responses(const Responses& responses, const Progress& progress) const;
};

}  // namespace attune::objectives
