// The only door to libtorch: per-operator headers and custom autograd functions, never torch/torch.h or ATen/ATen.h
// (the two cost 8 to 20 seconds a file). Every tensor target precompiles this one header.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/grad_mode.h>

namespace attune {
using at::Tensor;
}
