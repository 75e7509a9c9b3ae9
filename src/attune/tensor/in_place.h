// Where the gradient of a weight goes. While a training step adds up its micro-batches, operations may add a weight's
// gradient to the buffer it already has, instead of making a tensor that is then added: for the matrices of a model
// that saves as much memory traffic as the whole update of the optimiser.
#pragma once

#include "attune/tensor/torch.h"

namespace attune {

// On from construction to destruction. A backward pass in this time must be one that adds to the leaves' gradients
// (Tensor::backward), never one that asks for gradients by name.
class GradientsInPlace {
 public:
  GradientsInPlace();
  ~GradientsInPlace();
  GradientsInPlace(const GradientsInPlace&) = delete;
  GradientsInPlace& operator=(const GradientsInPlace&) = delete;

 private:
  bool before_;
};

// The buffer of a leaf that gradients may be added to; undefined where there is none, or not now.
Tensor gradient_buffer(const Tensor& weight);

}  // namespace attune
