// Reward models as scorers: sequence classifiers of Hugging Face's format, with a head that says what their outputs
// mean.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/heads/reward_head.h"
#include "attune/model/language_model.h"
#include "attune/policy/token_record.h"

namespace attune {

// An adapter with a score head, on its base model as a classifier. `folder`: the adapter's. FormatError where it has
// none.
bool has_score_head(const Path& folder);
LanguageModel load_reward_adapter(const Path& base, const Path& folder, LoadOptions options = {});

// What a reward model says of one answer.
struct Scores {
  double score = 0;
  std::optional<double> spread = {};  // one standard deviation of how good people would find it, where it says so
  std::vector<double> outputs = {};   // of its score head, in order of RewardModel::outputs()
};

class RewardModel {
 public:
  // Reads a folder of a sequence classifier, attune's own or another program's, or of an adapter with a score head that
  // names its base model. Throws what LanguageModel::load does,
  // FormatError for a language model and for a head that does not fit.
  static RewardModel load(const Path& folder, const LoadOptions& options = {});

  const RewardHead& head() const { return *head_; }
  std::vector<std::string> outputs() const { return head_->outputs(); }
  const LanguageModel& model() const { return model_; }

  // Of every completion of every record, prompts computed once, at most `tokens` tokens at a time. An answer of a head
  // that only compares scores the mean of its log-odds against the record's other answers; 0 where there are none.
  std::vector<std::vector<Scores>> score(std::span<const TokenRecord> records, std::int64_t tokens);

 private:
  RewardModel(LanguageModel model, Choice<RewardHead> head) : model_(std::move(model)), head_(std::move(head)) {}
  std::vector<Scores> read(const Tensor& outputs) const;

  LanguageModel model_;
  Choice<RewardHead> head_;
};

}  // namespace attune
