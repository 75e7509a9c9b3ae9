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
  bool applied = true;  // false: a loss or gradient was not finite, and nothing changed (in_backward: but for the
                        // matrices nearer to the head)
};

class Step {
 public:
  // Makes the parameters trainable: the model's (or its adapter's), and its heads'. They must outlive this.
  Step(std::vector<Parameters*> parameters, const OptimizerSettings& settings);
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  void begin(double learning_rate) { learning_rate_ = learning_rate; }
  // Adds the gradient of one micro-batch's share of the step's loss. With `optimizer.in_backward` there is one
  // micro-batch a step, and every matrix is updated in here.
  void accumulate(const Tensor& loss);
  // Clips, updates with AdamW, and clears the gradients for the next step.
  StepReport apply();
  // Forgets what was added since begin().
  void abandon();

  // Every B of an adapter's factors, and vectors, learn at `ratio` times the learning rate, as PEFT groups them (Hayou
  // et al. 2024, "LoRA+: Efficient low rank adaptation of large models", arXiv:2402.12354). `parameters`: one of those.
  void set_rate_ratio(const Parameters& parameters, double ratio);

  const std::vector<Parameters*>& parameters() const { return parameters_; }
  std::vector<AdamW>& optimizers() { return optimizers_; }  // of each of the parameters

 private:
  void update_now(AdamW& optimizer, std::int64_t begin, const Tensor& gradient);

  std::vector<Parameters*> parameters_;
  OptimizerSettings settings_;
  std::vector<AdamW> optimizers_;
  double learning_rate_ = 0;
  std::vector<Tensor> losses_;  // of the micro-batches: read when the step is applied, so that none of them waits
  double squares_ = 0;          // of the gradients that were applied in the backward pass
};

}  // namespace attune
