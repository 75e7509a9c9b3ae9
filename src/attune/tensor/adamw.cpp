#include "attune/tensor/adamw.h"

#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/threads.h"
#include "attune/tensor/kernels.h"

namespace attune {
namespace {

constexpr std::size_t grain = 1 << 16;

template <typename T>
double squared_norm_of(const T* data, std::size_t count) {
  const std::size_t blocks = (count + grain - 1) / grain;
  std::vector<double> sums(blocks);
  parallel_for(blocks, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t block = begin; block < end; ++block) {
      sums[block] = kernels::squares(data, {static_cast<std::int64_t>(block * grain),
                                            static_cast<std::int64_t>(std::min(count, (block + 1) * grain))});
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

AdamW::AdamW(Tensor parameters, Tensor gradient, AdamWOptions options,
             std::vector<std::pair<std::int64_t, std::int64_t>> decayed)
    : options_(options),
      decayed_(std::move(decayed)),
      parameters_(std::move(parameters)),
      gradient_(std::move(gradient)),
      first_(at::zeros_like(parameters_)),
      second_(at::zeros_like(parameters_)) {
  require(gradient_.defined() && gradient_.sizes() == parameters_.sizes(), "AdamW without a gradient buffer");
  require(parameters_.is_contiguous() && gradient_.is_contiguous(), "AdamW on buffers that are not flat");
  std::sort(decayed_.begin(), decayed_.end());
}

void AdamW::step(double learning_rate, double gradient_scale) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const auto run = [&]<typename T>(T) {
    kernels::AdamwUpdate<T> update{.parameter = parameters_.mutable_data_ptr<T>(),
                                   .gradient = gradient_.const_data_ptr<T>(),
                                   .first = first_.mutable_data_ptr<T>(),
                                   .second = second_.mutable_data_ptr<T>(),
                                   .beta1 = options_.beta1,
                                   .beta2 = options_.beta2,
                                   .epsilon = options_.epsilon,
                                   .shrink = 1,
                                   .rate = learning_rate / (1 - std::pow(options_.beta1, t)),
                                   .inverse_root = 1 / std::sqrt(1 - std::pow(options_.beta2, t)),
                                   .scale = gradient_scale};
    const auto range = [&](std::int64_t begin, std::int64_t end, double shrink) {
      update.shrink = shrink;
      parallel_for(static_cast<std::size_t>(end - begin), grain, [&](std::size_t from, std::size_t to) {
        kernels::adamw(update, {begin + static_cast<std::int64_t>(from), begin + static_cast<std::int64_t>(to)});
      });
    };
    const double shrink = 1 - learning_rate * options_.weight_decay;
    std::int64_t at = 0;
    for (const auto& [begin, end] : decayed_) {
      range(at, begin, 1);
      range(begin, end, shrink);
      at = end;
    }
    range(at, parameters_.numel(), 1);
  };
  if (parameters_.scalar_type() == at::kDouble) {
    run(double{});
  } else {
    run(float{});
  }
}

double squared_norm(const Tensor& flat) {
  const auto count = static_cast<std::size_t>(flat.numel());
  const Tensor dense = flat.contiguous();
  return dense.scalar_type() == at::kDouble ? squared_norm_of(dense.const_data_ptr<double>(), count)
                                            : squared_norm_of(dense.const_data_ptr<float>(), count);
}

double clip_scale(double norm, double largest) {
  require(std::isfinite(norm), "clipping a gradient that is not finite");
  return largest > 0 ? std::min(1.0, largest / (norm + 1e-6)) : 1.0;
}

}  // namespace attune
