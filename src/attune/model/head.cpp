#include "attune/model/head.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/tanh.h>

#include "attune/tensor/products.h"

namespace attune {

Tensor Head::logits(const Tensor& hidden) const {
  const bool at_once = bias.defined() && !bfloat16_products();
  const Tensor states = at_once ? at::addmm(bias, hidden, weight.t()) : product(hidden, weight.t());
  const Tensor sum = bias.defined() && !at_once ? states + bias : states;
  const Tensor scaled = scale == 1 ? sum : sum * scale;
  return soft_cap > 0 ? at::tanh(scaled / soft_cap) * soft_cap : scaled;
}

Head Head::detached() const { return {weight.detach(), bias.defined() ? bias.detach() : Tensor(), scale, soft_cap}; }

}  // namespace attune
