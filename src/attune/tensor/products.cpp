#include "attune/tensor/products.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>

#include <atomic>

namespace attune {
namespace {

std::atomic<bool> in_bfloat16{false};

bool rounds(const Tensor& x) { return x.scalar_type() == at::kFloat && bfloat16_products(); }
Tensor rounded(const Tensor& x) { return x.to(at::kBFloat16); }

}  // namespace

bool bfloat16_products() { return in_bfloat16.load(std::memory_order_relaxed); }

UseBfloat16Products::UseBfloat16Products(bool on) : before_(in_bfloat16.exchange(on)) {}
UseBfloat16Products::~UseBfloat16Products() { in_bfloat16 = before_; }

Tensor linear_product(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
  if (!rounds(x)) return at::linear(x, weight, bias);
  const Tensor result = at::mm(rounded(x), rounded(weight).t()).to(at::kFloat);
  return bias && bias->defined() ? result + *bias : result;
}

Tensor product(const Tensor& a, const Tensor& b) {
  return rounds(a) ? at::mm(rounded(a), rounded(b)).to(at::kFloat) : at::mm(a, b);
}

Tensor stacked_product(const Tensor& a, const Tensor& b) {
  return rounds(a) ? at::matmul(rounded(a), rounded(b)).to(at::kFloat) : at::matmul(a, b);
}

void add_product(const Tensor& sum, const Tensor& a, const Tensor& b, double scale) {
  rounds(a) ? sum.add_(at::mm(rounded(a), rounded(b)), scale) : sum.addmm_(a, b, 1, scale);
}

}  // namespace attune
