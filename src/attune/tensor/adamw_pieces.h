// AdamW's update as operations of libtorch, for parameters that no kernel of our own reaches: on a GPU libtorch's fused
// kernel over many tensors at once, elsewhere plain operations. Both follow tensor/adamw.h to rounding.
#pragma once

#include <cstdint>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

// Stretches of flat buffers, [n] each, on one device.
struct AdamWPiece {
  Tensor parameter, gradient, first, second;
  double weight_decay = 0;
};

struct AdamWUpdate {
  double learning_rate = 0;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  std::int64_t step = 1;  // from 1 on
  double scale = 1;       // of the gradients
};

// Fused on a GPU, plain elsewhere. Gradients may be overwritten.
void update_pieces(const std::vector<AdamWPiece>& pieces, const AdamWUpdate& update);

void update_plainly(const AdamWPiece& piece, const AdamWUpdate& update);
// at::_fused_adamw_: on the CPU, too.
void update_fused(const std::vector<AdamWPiece>& pieces, const AdamWUpdate& update);

}  // namespace attune
