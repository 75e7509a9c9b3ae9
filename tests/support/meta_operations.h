// Shapes of operations that libtorch describes to its meta device in Python only. To be included by one file of a test
// binary.
#pragma once

#include <ATen/ExpandUtils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/result_type.h>
#include <torch/library.h>

#include <array>
#include <optional>
#include <tuple>
#include <vector>

namespace attune::testing {

inline at::Tensor selected_shape(const at::Tensor& x, std::int64_t dimension, const at::Tensor& index) {
  TORCH_CHECK(index.is_meta(), "an index in the CPU's memory");
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.at(static_cast<std::size_t>(dimension < 0 ? dimension + x.dim() : dimension)) = index.numel();
  return at::empty(shape, x.options());
}

inline std::tuple<at::Tensor, at::Tensor> log_sigmoid_shapes(const at::Tensor& x) {
  return {at::empty_like(x), at::empty_like(x)};
}
inline at::Tensor log_sigmoid_gradient_shape(const at::Tensor&, const at::Tensor& x, const at::Tensor&) {
  return at::empty_like(x);
}
inline at::Tensor logit_shape(const at::Tensor& x, std::optional<double>) { return at::empty_like(x); }
inline at::Tensor isnan_shape(const at::Tensor& x) { return at::empty_like(x, x.options().dtype(at::kBool)); }
inline at::Tensor place_shape(const at::Tensor&, const at::Tensor& x, bool, bool, std::optional<c10::string_view>,
                              const std::optional<at::Tensor>&) {
  return at::empty_like(x, x.options().dtype(at::kLong));
}
inline at::Tensor& both_shape(const at::Tensor& a, const at::Tensor& b, at::Tensor& out) {
  out.resize_(at::infer_size(a.sizes(), b.sizes()));
  return out;
}
// Numbers may come from the CPU.
inline at::Tensor where_shape(const at::Tensor& condition, const at::Tensor& a, const at::Tensor& b) {
  const auto there = [](const at::Tensor& x) { return x.is_meta() || x.dim() == 0; };
  TORCH_CHECK(condition.is_meta() && there(a) && there(b), "a tensor in the CPU's memory");
  const auto shape = at::infer_size(at::infer_size(condition.sizes(), a.sizes()), b.sizes());
  return at::empty(shape, condition.options().dtype(at::result_type(a, b)));
}

inline at::Tensor same_shape(const at::Tensor& x) { return at::empty_like(x); }
inline at::Tensor& magnitude_shape(const at::Tensor& x, at::Tensor& out) {
  out.resize_(x.sizes());
  return out;
}

// The sizes of the rows' means and inverse deviations.
inline at::Tensor of_rows(const at::Tensor& x, at::IntArrayRef normalised) {
  std::vector<std::int64_t> shape = x.sizes().vec();
  for (std::size_t i = 0; i < normalised.size(); ++i) shape.at(shape.size() - 1 - i) = 1;
  return at::empty(shape, x.options());
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm_shapes(const at::Tensor& x, at::IntArrayRef normalised,
                                                                        const std::optional<at::Tensor>&,
                                                                        const std::optional<at::Tensor>&, double) {
  return {at::empty_like(x), of_rows(x, normalised), of_rows(x, normalised)};
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm_gradient_shapes(
    const at::Tensor&, const at::Tensor& x, at::IntArrayRef, const at::Tensor&, const at::Tensor&,
    const std::optional<at::Tensor>& weight, const std::optional<at::Tensor>& bias, std::array<bool, 3> wanted) {
  return {wanted[0] ? at::empty_like(x) : at::Tensor(), wanted[1] ? at::empty_like(*weight) : at::Tensor(),
          wanted[2] ? at::empty_like(*bias) : at::Tensor()};
}

TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("index_select", selected_shape);
  library.impl("relu", same_shape);
  library.impl("log_sigmoid_forward", log_sigmoid_shapes);
  library.impl("log_sigmoid_backward", log_sigmoid_gradient_shape);
  library.impl("logit", logit_shape);
  library.impl("searchsorted.Tensor", place_shape);
  library.impl("logical_and.out", both_shape);
  library.impl("isnan", isnan_shape);
  library.impl("where.self", where_shape);
  library.impl("abs.out", magnitude_shape);
  library.impl("native_layer_norm", layer_norm_shapes);
  library.impl("native_layer_norm_backward", layer_norm_gradient_shapes);
}

}  // namespace attune::testing
