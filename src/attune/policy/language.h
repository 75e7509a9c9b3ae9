// The policy that is a language model: lays a batch's responses out as a token forest, each prompt once, and sums the
// scored tokens' log-probabilities per response.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "attune/model/language_model.h"
#include "attune/model/token_forest.h"
#include "attune/policy/policy.h"
#include "attune/policy/token_record.h"

namespace attune {

// The batch's responses as one forest; response i of the batch is response i of the reads and of the marks, which are
// at each one's last scored token. Prompts that several responses share stand once.
// The end of a response (Extent::end) is its last token that is not `pad_token`, as sequence classifiers see it; where
// the answer holds only such, it lies in the prompt.
TokenForest forest_of(const Batch& batch, std::span<const TokenRecord> records, std::int64_t pad_token = -1);

class LanguagePolicy final : public Policy {
 public:
  // Both must outlive the policy. Batches index into `records`.
  LanguagePolicy(LanguageModel& model, std::span<const TokenRecord> records) : model_(&model), records_(records) {}

  // A frozen model by role. Without one, "reference" is the model with its adapter off.
  void freeze(const std::string& role, std::shared_ptr<const LanguageModel> model);

  Responses score(const Batch& batch, const Needs& needs) override;

 private:
  Responses score_ends(const Batch& batch) const;
  FrozenModel frozen(const std::string& role) const;
  Tensor frozen_token_logps(const std::string& role, const TokenForest& forest) const;
  Tensor reference_states(const TokenForest& forest) const;
  void apply_heads(const TokenForest& forest, const ForestScores& scores, const Needs& needs,
                   Responses& responses) const;

  LanguageModel* model_;
  std::span<const TokenRecord> records_;
  std::map<std::string, std::shared_ptr<const LanguageModel>> frozen_;
};

}  // namespace attune
