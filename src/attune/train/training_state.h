// What a checkpoint of a run holds: where the run stands, what its steps have changed, and what must be the same for it
// to go on bit by bit.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "attune/objectives/objective.h"
#include "attune/tensor/adamw.h"
#include "attune/tensor/parameters.h"
#include "attune/train/checkpoint.h"

namespace attune {

// Counters of the run.
struct Position {
  std::size_t stage = 0;
  std::int64_t step = 0;        // of the stage, done so far
  std::int64_t total_step = 0;  // of all stages
  std::int64_t tokens = 0;
  double best_loss = INFINITY;  // of the stage's evaluations
  Json unmeasured = {};         // the last step's row of metrics when a stop kept it from being evaluated, else null
};

// The views through which a step changes things; what they look at must outlive this.
struct TrainingState {
  const std::vector<Parameters*>& parameters;  // the model's (or its adapter's); its heads'
  std::vector<AdamW>& optimizers;              // of each of them
  std::vector<Statistics>& statistics;         // of each objective
  std::vector<NamedTensor> more = {};          // written and read in place: a moving reference
};

// `facts`: an object of what a resumed run must share with this one (data, seed, threads, build, ...).
CheckpointContent to_checkpoint(const Position& position, const Json& facts, const TrainingState& state);

// Throws FormatError when the checkpoint is none of a run.
Position position_of(const Checkpoint& checkpoint);

// Puts the checkpoint's tensors in place. Throws ConfigError listing every fact that differs (both values), FormatError
// when tensors are missing or belong to another model.
void restore(const Checkpoint& checkpoint, const Json& facts, TrainingState state);

}  // namespace attune
