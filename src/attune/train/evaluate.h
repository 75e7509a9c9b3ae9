// Measures objectives on held-out records, without gradients.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "attune/objectives/objective.h"
#include "attune/policy/policy.h"
#include "attune/train/frozen.h"

namespace attune {

struct EvaluationData {
  std::vector<TokenRecord> records = {};
  std::map<std::string, FrozenColumns> frozen = {};  // by role
  std::vector<std::int64_t> probe_prompts = {};      // of each record, for KL probes; may be empty
};

// The objective's metrics and loss over all records, as if they were one step: "loss", "rewards/accuracies", ... The
// policy's batches index into data.records. Nothing when a stop was asked for before the end.
std::optional<std::map<std::string, double>> evaluate(Policy& policy, const ObjectiveList& objectives,
                                                      const EvaluationData& data, std::int64_t tokens_per_batch);

}  // namespace attune
