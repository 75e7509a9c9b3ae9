// One optimiser step: gradients of micro-batches add up, are checked, clipped and applied.
#pragma once

#include <cstdint>

#include "attune/tensor/adamw.h"
#include "attune/tensor/parameters.h"
#include "attune/train/run.h"

namespace attune {

struct StepReport {
  double loss = 0;
  double grad_norm = 0;  // before clipping
  double learning_rate = 0;
  bool applied = true;  // false: a loss or gradient was not finite, and nothing changed
};

class Step {
 public:
  // Makes the parameters trainable. They must outlive this.
  Step(Parameters& parameters, const OptimizerSettings& settings);

  // Adds the gradient of one micro-batch's share of the step's loss.
  void accumulate(const Tensor& loss);
  // Clips, updates with AdamW, and clears the gradients for the next step.
  StepReport apply(double learning_rate);
  // Forgets what was added since the last apply().
  void abandon();

  AdamW& optimizer() { return optimizer_; }
  const AdamW& optimizer() const { return optimizer_; }

 private:
  Parameters* parameters_;
  double max_grad_norm_;
  AdamW optimizer_;
  double loss_ = 0;
};

}  // namespace attune
