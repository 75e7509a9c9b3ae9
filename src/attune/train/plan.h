// What a stage of a run will need, before it starts: its own steps are made on its own batches with a few of the
// model's blocks and random weights; every further block costs what the last ones did.
#pragma once

#include <cstdint>

#include "attune/base/files.h"
#include "attune/train/run.h"

namespace attune {

struct StagePlan {
  std::int64_t parameters = 0;  // of the model, adapter included
  std::int64_t trainable = 0;
  std::int64_t steps = 0;
  double peak_bytes = 0;    // of the whole process
  double step_seconds = 0;  // mean
  double tokens_per_second = 0;
  double limit_seconds = 0;    // of the mean step: train/limits.h
  double available_bytes = 0;  // train/memory.h: usable_bytes
  bool recompute = false;      // blocks are computed again in the backward pass

  bool fits() const { return peak_bytes <= available_bytes; }
};

// Reads the stage's data and model configuration, not its weights. Takes some seconds, and the memory of up to seven
// blocks. Errors as training's before its first step; DeviceError when even that does not fit.
StagePlan plan_stage(const RunSettings& settings, Fs& fs);

}  // namespace attune
