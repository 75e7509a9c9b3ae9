// The shortest vector in the convex hull of several: the direction that is against none of them.
#pragma once

#include <vector>

#include "attune/tensor/torch.h"

namespace attune::objectives {

// The weights, at least 0 and of sum 1, of the point of least norm in the convex hull of the rows of `vectors` [T, D],
// T >= 1. Its inner product with every row is at least its own squared norm, up to rounding. By Frank-Wolfe steps
// between two vertices at a time, each of the best length (Jaggi 2013, Revisiting Frank-Wolfe; as multiple-gradient
// descent: Sener and Koltun 2018, Multi-Task Learning as Multi-Objective Optimization, arXiv:1810.04650, algorithm 2).
std::vector<double> min_norm_weights(const Tensor& vectors);

}  // namespace attune::objectives
