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

// Of each record the one whose prompt its KL probes follow (KTO's mismatched pairs): the next with another prompt among
// its neighbours, a block of `block` records in order of the data, in a circle; where they all have one prompt, the
// next of all the data; -1 where that has no other. The same in every epoch and under every shuffle, as in TRL, so that
// a frozen model scores a probe once.
std::vector<std::int64_t> probe_prompts(std::span<const TokenRecord> records, std::int64_t block);

struct StepData {
  std::span<const TokenRecord> records = {};
  std::span<const std::int64_t> probe_prompts = {};  // empty: no probes
  const std::map<std::string, FrozenColumns>& frozen;
};

// Lays out the records of each bin.
StepPlan plan_step(const std::vector<std::vector<std::int64_t>>& bins, const ObjectiveList& objectives,
                   const StepData& data);

// Statistics of each objective over the whole step, gathered without gradient in one pass over what the objectives
// gather from; none where no objective gathers any.
std::vector<Statistics> gather_statistics(const StepPlan& plan, const ObjectiveList& objectives, const Needs& needs,
                                          Policy& policy, const std::vector<Statistics>& previous);

}  // namespace attune
