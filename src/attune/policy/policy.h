// A policy turns a batch into Responses. LanguagePolicy is a transformer over token forests; TabularPolicy enumerates
// every answer, so that the claims of papers can be proven exactly and in milliseconds.
#pragma once

#include "attune/policy/batch.h"
#include "attune/policy/needs.h"
#include "attune/policy/responses.h"

namespace attune {

class Policy {
 public:
  virtual ~Policy() = default;
  // Scores every response of the batch under the policy and, where needed, the frozen models. Gradients flow to the
  // policy's parameters unless grad mode is off.
  virtual Responses score(const Batch& batch, const Needs& needs) = 0;
};

}  // namespace attune
