// Which records each optimiser step sees, and how they fall into micro-batches. A pure function of the seed and the
// step, so a resumed run needs no replay.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/policy/token_record.h"

namespace attune {

struct BatchOptions {
  std::int64_t records = 32;   // per step; the last step of an epoch may hold fewer
  std::int64_t tokens = 8192;  // per micro-batch; a record larger than that is alone
  double epochs = 1;
  std::int64_t steps = 0;  // instead of epochs
  bool shuffle = true;
  std::uint64_t seed = 0;
};

class Batches {
 public:
  // `records` must outlive this and not be empty.
  Batches(std::span<const TokenRecord> records, const BatchOptions& options);

  std::int64_t steps() const { return steps_; }
  std::int64_t steps_per_epoch() const { return per_epoch_; }
  // Record indices of step's micro-batches. Within one step records go to the fullest bin that still has room, largest
  // first: bins change nothing but rounding.
  std::vector<std::vector<std::int64_t>> at(std::int64_t step) const;

 private:
  const std::vector<std::int64_t>& order(std::int64_t epoch) const;
  std::span<const TokenRecord> records_;
  BatchOptions options_;
  std::int64_t per_epoch_, steps_;
  mutable std::int64_t ordered_epoch_ = -1;
  mutable std::vector<std::int64_t> order_;
};

}  // namespace attune
