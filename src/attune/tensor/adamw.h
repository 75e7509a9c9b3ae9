// AdamW over flat buffers, and what a step does to the gradient before it: its norm, and clipping.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

// Adam with decoupled weight decay (Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2),
// with bias correction and epsilon placed as torch.optim.AdamW does: one pass over memory.
class AdamW {
 public:
  // `decayed`: the ranges of `parameters` that weight decay applies to. Buffers are flat float32 or float64 and shared.
  AdamW(Tensor parameters, Tensor gradient, AdamWOptions options,
        std::vector<std::pair<std::int64_t, std::int64_t>> decayed);

  // One update with `gradient * gradient_scale` (clipping rides along here).
  void step(double learning_rate, double gradient_scale = 1);

  // State of a checkpoint: tensors may be written to, in place.
  const Tensor& first_moment() const { return first_; }
  const Tensor& second_moment() const { return second_; }
  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  AdamWOptions options_;
  std::vector<std::pair<std::int64_t, std::int64_t>> decayed_;
  Tensor parameters_, gradient_, first_, second_;
  std::int64_t steps_ = 0;
};

// Square of the 2-norm, summed in float64 in an order that does not depend on the number of threads. Not finite when
// any element is not.
double squared_norm(const Tensor& flat);

// What the gradient is multiplied by so that its norm is at most `largest`: min(1, largest / (norm + 1e-6)) as
// torch.nn.utils.clip_grad_norm_; 1 when largest is 0. The norm must be finite: check it first, one NaN would
// spread to every parameter.
double clip_scale(double norm, double largest);

}  // namespace attune
