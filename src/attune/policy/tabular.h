// An exact policy over enumerated answers: pi(y|x) = softmax of one row of logits. A record is a prompt x, a completion
// is an answer y of one token.
#pragma once

#include <map>
#include <string>

#include "attune/policy/policy.h"

namespace attune {

class TabularPolicy final : public Policy {
 public:
  // logits [X, Y] in double or float; they become the trainable parameter.
  explicit TabularPolicy(Tensor logits);

  // A frozen model by role, with logits [X, Y]. "reference" is the starting point unless set.
  void freeze(const std::string& role, Tensor logits);

  Responses score(const Batch& batch, const Needs& needs) override;

  const Tensor& logits() const { return logits_; }          // [X, Y], requires grad
  Tensor log_probabilities() const;                         // [X, Y], detached
  Tensor log_probabilities(const std::string& role) const;  // of a frozen model

 private:
  Tensor logits_;
  std::map<std::string, Tensor> frozen_;
};

}  // namespace attune
