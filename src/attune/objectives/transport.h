// One-dimensional optimal transport between two samples of a step, for losses that compare distributions of rewards
// instead of pairs.
#pragma once

#include "attune/tensor/torch.h"

namespace attune::objectives {

// Row i says with which of `sorted` ascending numbers [N] the number x[i] is coupled, [n, N], rows sum to 1: x takes
// the ranks that it has among `all` [N], the sample it belongs to. Equal numbers share their ranks, so that the
// coupling depends on values alone, never on the order of rows or micro-batches. No gradient.
Tensor coupling(const Tensor& x, const Tensor& all);

}  // namespace attune::objectives
