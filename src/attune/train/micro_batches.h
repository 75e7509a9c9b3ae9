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
  std::vector<Batch> batches = {};   // for the losses: without KL probes, which no loss looks at
  std::vector<Batch> gathered = {};  // for the statistics, where an objective has any
  Counts counts = {};
  std::int64_t tokens = 0;  // computed: every prompt once
};

// Lays out the records of each bin. The prompt of a record's KL probes (KTO's mismatched pairs) is that of the next
// record of the step whose prompt is another one; of a step without any, of the next such record of the data.
StepPlan plan_step(const std::vector<std::vector<std::int64_t>>& bins, const ObjectiveList& objectives,
                   std::span<const TokenRecord> records, const std::map<std::string, FrozenColumn>& frozen);

// Statistics of each objective over the whole step, gathered without gradient in one pass over what the objectives
// gather from; none where no objective gathers any.
std::vector<Statistics> gather_statistics(const StepPlan& plan, const ObjectiveList& objectives, const Needs& needs,
                                          Policy& policy, const std::vector<Statistics>& previous);

}  // namespace attune
