// One optimiser step: gradients of micro-batches add up, are checked, clipped and applied.
#pragma once

#include <cstdint>
#include <vector>

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
  // Makes the parameters trainable: the model's (or its adapter's), and its heads'. They must outlive this.
  Step(std::vector<Parameters*> parameters, const OptimizerSettings& settings);

  // Adds the gradient of one micro-batch's share of the step's loss.
  void accumulate(const Tensor& loss);
  // Clips, updates with AdamW, and clears the gradients for the next step.
  StepReport apply(double learning_rate);
  // Forgets what was added since the last apply().
  void abandon();

  const std::vector<Parameters*>& parameters() const { return parameters_; }
  std::vector<AdamW>& optimizers() { return optimizers_; }  // of each of the parameters

 private:
  std::vector<Parameters*> parameters_;
  double max_grad_norm_;
  std::vector<AdamW> optimizers_;
  double loss_ = 0;
};

}  // namespace attune
