// How operations run the kernels: by element type, over ranges of rows on all threads.
#pragma once

#include "attune/base/errors.h"
#include "attune/base/threads.h"
#include "attune/tensor/kernels.h"
#include "attune/tensor/torch.h"

namespace attune {

// Calls body with a value of the tensor's element type. What follows reads and writes the CPU's memory.
template <class Body>
void with_type(const Tensor& tensor, const Body& body) {
  require(tensor.is_cpu(), "a kernel of the CPU on a tensor of another device");
  if (tensor.scalar_type() == at::kDouble) {
    body(double{});
  } else {
    require(tensor.scalar_type() == at::kFloat, "an operation on another type than float32 and float64");
    body(float{});
  }
}

// Calls body(kernels::Range) over disjoint ranges of at least `grain` rows.
template <class Body>
void for_rows(std::int64_t rows, std::size_t grain, const Body& body) {
  parallel_for(static_cast<std::size_t>(rows), grain, [&](std::size_t begin, std::size_t end) {
    body(kernels::Range{static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end)});
  });
}

}  // namespace attune
