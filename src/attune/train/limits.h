// How fast a training step could be on this machine: its arithmetic at the speed of one large matrix product, its
// traffic at the speed of a copy. Steps report which fraction of that they reach.
#pragma once

#include <cstdint>
#include <span>

#include "attune/base/files.h"
#include "attune/model/language_model.h"
#include "attune/train/micro_batches.h"

namespace attune {

// Of all threads together, or of a GPU.
struct Ceilings {
  double product = 0;  // FLOP/s of a large matrix product
  double copy = 0;     // bytes/s read and written by a copy that no cache holds
};

// Measures for about `seconds`: products of the element type, on the device.
Ceilings measure_ceilings(double seconds, const at::TensorOptions& tensors = at::TensorOptions(at::kFloat));

// What was measured of this on this machine with as many threads, else measures (a third of a second) and keeps it
// among the caches.
Ceilings machine_ceilings(Fs& fs, const at::TensorOptions& tensors = at::TensorOptions(at::kFloat));

// What one pass over a micro-batch has to do, each prompt once.
struct PassWork {
  std::int64_t tokens = 0;     // through the trunk
  std::int64_t last_rows = 0;  // of these, the rows that go on behind the last block's attention
  std::int64_t scored = 0;     // through the head
  std::int64_t attention = 0;  // (query, key) pairs
};
PassWork work_of(const Batch& batch, std::span<const TokenRecord> records);

// FLOP of a forward pass: 2 per weight and token, 4 per query, key and channel.
double forward_flop(const LanguageModel& model, const PassWork& work);

// The least seconds of one optimiser step: matrix products (three passes' worth; two under an adapter, whose base gets
// no gradient), elementwise traffic, the update. Passes for statistics count once.
double limit_seconds(const LanguageModel& model, const StepPlan& plan, std::span<const TokenRecord> records,
                     const Ceilings& ceilings);

}  // namespace attune
