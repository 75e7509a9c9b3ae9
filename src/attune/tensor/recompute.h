// Trades time for memory: a piece of the network keeps its inputs only and runs again in the backward pass
// (Chen et al. 2016, "Training deep nets with sublinear memory cost").
#pragma once

#include <functional>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

using Piece = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

// piece(inputs), with the same gradients as if it were called directly: parameters that the piece captures get theirs
// accumulated in the backward pass. The piece must give the same outputs when it runs again, all of them defined.
std::vector<Tensor> recompute(const Piece& piece, const std::vector<Tensor>& inputs);

}  // namespace attune
