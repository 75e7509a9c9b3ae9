// One optimiser step, planned: its micro-batches and the counts that its loss is divided by.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "attune/objectives/objective.h"
#include "attune/policy/policy.h"
#include "attune/train/frozen.h"

namespace attune {

struct StepPlan {
  std::vector<Batch> batches = {};
  Counts counts = {};
  std::int64_t tokens = 0;  // computed: every prompt once
};

// Lays out the records of each bin. Probe prompts (KTO's mismatched pairs) are the next record of the step.
StepPlan plan_step(const std::vector<std::vector<std::int64_t>>& bins, const ObjectiveList& objectives,
                   std::span<const TokenRecord> records, const std::map<std::string, FrozenColumn>& frozen);

// Statistics of each objective over the whole step, gathered without gradient; one pass over the micro-batches, and
// only when an objective gathers any.
std::vector<Statistics> gather_statistics(const StepPlan& plan, const ObjectiveList& objectives, const Needs& needs,
                                          Policy& policy, const std::vector<Statistics>& previous);

}  // namespace attune
