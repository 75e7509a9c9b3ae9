// The matrix products of the model, and in which precision they are made.
//
// In bfloat16 mode the operands of products of float32 tensors are rounded to bfloat16, with sums in float32, and
// nothing else changes: weights, gradients, moments, the residual stream, norms, softmax and losses stay float32. Those
// are the roles that mixed precision gives the two types (Micikevicius et al. 2018, "Mixed precision training", there
// with float16 and a scaled loss, which bfloat16's range does not need) and what bf16=True means to TRL.
#pragma once

#include <optional>

#include "attune/tensor/torch.h"

namespace attune {

bool bfloat16_products();

// Switches the mode until destroyed. For the whole process: backward passes of a GPU run on threads of their own. Not
// for concurrent use.
class UseBfloat16Products {
 public:
  explicit UseBfloat16Products(bool on);
  ~UseBfloat16Products();
  UseBfloat16Products(const UseBfloat16Products&) = delete;
  UseBfloat16Products& operator=(const UseBfloat16Products&) = delete;

 private:
  bool before_;
};

// x weight^T + bias. x: [n, in]; weight: [out, in].
Tensor linear_product(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias);
// a b of matrices.
Tensor product(const Tensor& a, const Tensor& b);
// a b of stacks of matrices, [..., n, k] and [..., k, m].
Tensor stacked_product(const Tensor& a, const Tensor& b);
// sum += scale a b.
void add_product(const Tensor& sum, const Tensor& a, const Tensor& b, double scale = 1);

}  // namespace attune
