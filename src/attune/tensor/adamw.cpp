#include "attune/tensor/adamw.h"

#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/base/errors.h"
#include "attune/base/threads.h"

#ifndef __clang__
#pragma GCC optimize("O3", "no-math-errno")  // lets sqrt vectorise
#endif

namespace attune {
namespace {

constexpr std::size_t grain = 1 << 16;

struct Update {
  double beta1, beta2, epsilon;
  double shrink;  // 1 - lr * weight decay
  double rate;    // lr / (1 - beta1^t)
  double root;    // sqrt(1 - beta2^t)
  double scale;   // of the gradient
};

template <typename T>
void update_range(T* parameter, const T* gradient, T* first, T* second, std::size_t count, const Update& update) {
  const T beta1 = T(update.beta1), beta2 = T(update.beta2), epsilon = T(update.epsilon), shrink = T(update.shrink);
  const T rate = T(update.rate), inverse_root = T(1 / update.root), scale = T(update.scale);
  const T rest1 = T(1 - update.beta1), rest2 = T(1 - update.beta2);
  for (std::size_t i = 0; i < count; ++i) {
    const T g = gradient[i] * scale;
    first[i] = first[i] * beta1 + g * rest1;
    second[i] = second[i] * beta2 + g * g * rest2;
    parameter[i] = parameter[i] * shrink - rate * first[i] / (std::sqrt(second[i]) * inverse_root + epsilon);
  }
}

template <typename T>
double squared_norm_of(const T* data, std::size_t count) {
  const std::size_t blocks = (count + grain - 1) / grain;
  std::vector<double> sums(blocks);
  parallel_for(blocks, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t block = begin; block < end; ++block) {
      double lanes[8] = {};
      const std::size_t last = std::min(count, (block + 1) * grain);
      std::size_t i = block * grain;
      for (; i + 8 <= last; i += 8) {
        for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] += double(data[i + lane]) * double(data[i + lane]);
      }
      for (; i < last; ++i) lanes[0] += double(data[i]) * double(data[i]);
      for (const double lane : lanes) sums[block] += lane;
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
  Update plain{.beta1 = options_.beta1,
               .beta2 = options_.beta2,
               .epsilon = options_.epsilon,
               .shrink = 1,
               .rate = learning_rate / (1 - std::pow(options_.beta1, t)),
               .root = std::sqrt(1 - std::pow(options_.beta2, t)),
               .scale = gradient_scale};
  const auto run = [&]<typename T>(T) {
    T* parameter = parameters_.mutable_data_ptr<T>();
    const T* gradient = gradient_.const_data_ptr<T>();
    T* first = first_.mutable_data_ptr<T>();
    T* second = second_.mutable_data_ptr<T>();
    const auto range = [&](std::int64_t begin, std::int64_t end, const Update& update) {
      parallel_for(static_cast<std::size_t>(end - begin), grain, [&](std::size_t from, std::size_t to) {
        const std::size_t at = static_cast<std::size_t>(begin) + from;
        update_range(parameter + at, gradient + at, first + at, second + at, to - from, update);
      });
    };
    if (options_.weight_decay == 0) {
      range(0, parameters_.numel(), plain);
      return;
    }
    Update shrinking = plain;
    shrinking.shrink = 1 - learning_rate * options_.weight_decay;
    std::int64_t at = 0;
    for (const auto& [begin, end] : decayed_) {
      range(at, begin, plain);
      range(begin, end, shrinking);
      at = end;
    }
    range(at, parameters_.numel(), plain);
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
