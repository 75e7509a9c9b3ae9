#include "attune/model/head.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/tanh.h>

namespace attune {

Tensor Head::logits(const Tensor& hidden) const {
  const Tensor product = bias.defined() ? at::addmm(bias, hidden, weight.t()) : at::mm(hidden, weight.t());
  const Tensor scaled = scale == 1 ? product : product * scale;
  return soft_cap > 0 ? at::tanh(scaled / soft_cap) * soft_cap : scaled;
}

Head Head::detached() const { return {weight.detach(), bias.defined() ? bias.detach() : Tensor(), scale, soft_cap}; }

}  // namespace attune
