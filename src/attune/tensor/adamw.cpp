#include "attune/tensor/adamw.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <type_traits>

#include "attune/base/errors.h"
#include "attune/base/threads.h"
#include "attune/tensor/adamw_pieces.h"
#include "attune/tensor/kernels.h"
#include "attune/tensor/reference.h"

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

AdamW::AdamW(Tensor parameters, AdamWOptions options,
             const std::vector<std::pair<std::int64_t, std::int64_t>>& matrices)
    : options_(options), parameters_(std::move(parameters)) {
  require(parameters_.is_contiguous() && parameters_.dim() == 1, "AdamW on parameters that are not flat");
  const bool compress = options_.moments != MomentPrecision::full;
  require(!compress || parameters_.scalar_type() == at::kFloat,
          "compressed moments of parameters that are not float32");
  require(!compress || parameters_.is_cpu(), "compressed moments of parameters of another device than the CPU");
  std::int64_t at = 0;
  for (const auto& [begin, end] : matrices) {
    add_stretch(at, begin, false);
    add_stretch(begin, end, true);
    at = end;
  }
  add_stretch(at, parameters_.numel(), false);
  first_ = at::zeros({full_}, parameters_.options());
  second_ = at::zeros({full_}, parameters_.options());
  if (compress) compressed_.emplace(options_.moments, parameters_.numel(), blocks_);
}

void AdamW::add_stretch(std::int64_t begin, std::int64_t end, bool matrix) {
  require(begin <= end, "matrices of an optimiser that are not in ascending order");
  if (begin == end) return;
  const bool blocks = matrix && options_.moments != MomentPrecision::full;
  stretches_.push_back({begin, end, matrix, 1, blocks ? blocks_ : full_});
  (blocks ? blocks_ : full_) +=
      blocks ? (end - begin + CompressedMoments::block - 1) / CompressedMoments::block : end - begin;
}

void AdamW::set_rate(std::int64_t begin, std::int64_t end, double factor) {
  for (Stretch& stretch : stretches_) {
    if (stretch.begin >= end || stretch.end <= begin) continue;
    require(!stretch.matrix || (stretch.begin >= begin && stretch.end <= end), "a rate of part of a matrix");
    stretch.rate = factor;
  }
}

void AdamW::begin(double learning_rate) {
  ++steps_;
  learning_rate_ = learning_rate;
}

// Parameters [begin, end) of the stretch; `gradient` is of the first of them.
template <typename T>
void AdamW::update_stretch(const Stretch& stretch, std::int64_t begin, std::int64_t end, const T* gradient,
                           double scale) {
  const auto t = static_cast<double>(steps_);
  const double learning_rate = learning_rate_ * stretch.rate;
  kernels::AdamwUpdate<T> update{.parameter = parameters_.mutable_data_ptr<T>() + begin,
                                 .gradient = gradient,
                                 .first = nullptr,
                                 .second = nullptr,
                                 .beta1 = options_.beta1,
                                 .beta2 = options_.beta2,
                                 .epsilon = options_.epsilon,
                                 .shrink = stretch.matrix ? 1 - learning_rate * options_.weight_decay : 1,
                                 .rate = learning_rate / (1 - std::pow(options_.beta1, t)),
                                 .inverse_root = 1 / std::sqrt(1 - std::pow(options_.beta2, t)),
                                 .scale = scale};
  const auto size = static_cast<std::size_t>(end - begin);
  if (!compressed(stretch)) {
    update.first = first_.mutable_data_ptr<T>() + stretch.place + (begin - stretch.begin);
    update.second = second_.mutable_data_ptr<T>() + stretch.place + (begin - stretch.begin);
    parallel_for(size, grain, [&](std::size_t from, std::size_t to) {
      kernels::adamw(update, {static_cast<std::int64_t>(from), static_cast<std::int64_t>(to)});
    });
    return;
  }
  constexpr std::int64_t block = CompressedMoments::block;
  const auto blocks = static_cast<std::size_t>((end - begin + block - 1) / block);
  parallel_for(blocks, grain / block, [&](std::size_t from, std::size_t to) {
    CompressedMoments::Values values;
    for (auto i = static_cast<std::int64_t>(from); i < static_cast<std::int64_t>(to); ++i) {
      const CompressedMoments::Block at{.element = begin + i * block,
                                        .index = stretch.place + (begin - stretch.begin) / block + i,
                                        .count = std::min(block, end - begin - i * block)};
      compressed_->load(at, values);
      if constexpr (std::is_same_v<T, float>) {  // the constructor saw to it
        kernels::AdamwUpdate<T> part = update;
        part.parameter += i * block;
        part.gradient += i * block;
        part.first = values.first.data();
        part.second = values.second.data();
        kernels::adamw(part, {0, at.count});
      }
      compressed_->store(at, values, steps_);
    }
  });
}

void AdamW::update(std::int64_t first, const Tensor& gradient, double scale) {
  const std::int64_t last = first + gradient.numel();
  require(gradient.is_contiguous() && gradient.scalar_type() == parameters_.scalar_type() &&
              gradient.device() == parameters_.device(),
          "a gradient that does not fit its parameters");
  if (use_reference(parameters_) && !compressed_) return update_by_pieces(first, gradient, scale);
  for (const Stretch& stretch : stretches_) {
    const std::int64_t begin = std::max(first, stretch.begin), end = std::min(last, stretch.end);
    if (begin >= end) continue;
    require(!compressed(stretch) || (begin == stretch.begin && end == stretch.end), "an update of part of a matrix");
    const auto run = [&]<typename T>(T) {
      update_stretch(stretch, begin, end, gradient.const_data_ptr<T>() + (begin - first), scale);
    };
    parameters_.scalar_type() == at::kDouble ? run(double{}) : run(float{});
  }
}

void AdamW::update_by_pieces(std::int64_t first, const Tensor& gradient, double scale) {
  const at::NoGradGuard no_grad;
  const std::int64_t last = first + gradient.numel();
  const Tensor flat = gradient.view({-1});
  // Without the version counter that all weights share: in a backward pass the others are still to be used.
  const Tensor parameters = parameters_.variable_data();
  std::map<double, std::vector<AdamWPiece>> pieces;  // by rate
  for (const Stretch& stretch : stretches_) {
    const std::int64_t begin = std::max(first, stretch.begin), end = std::min(last, stretch.end);
    if (begin >= end) continue;
    const std::int64_t moments = stretch.place + (begin - stretch.begin);
    pieces[stretch.rate].push_back({.parameter = parameters.narrow(0, begin, end - begin),
                                    .gradient = flat.narrow(0, begin - first, end - begin),
                                    .first = first_.narrow(0, moments, end - begin),
                                    .second = second_.narrow(0, moments, end - begin),
                                    .weight_decay = stretch.matrix ? options_.weight_decay : 0});
  }
  for (const auto& [rate, alike] : pieces) {
    update_pieces(alike, {.learning_rate = learning_rate_ * rate,
                          .beta1 = options_.beta1,
                          .beta2 = options_.beta2,
                          .epsilon = options_.epsilon,
                          .step = steps_,
                          .scale = scale});
  }
}

std::vector<NamedTensor> AdamW::state() const {
  std::vector<NamedTensor> tensors{{"first_moment", first_}, {"second_moment", second_}};
  if (compressed_) {
    const std::vector<NamedTensor> codes = compressed_->state();
    tensors.insert(tensors.end(), codes.begin(), codes.end());
  }
  return tensors;
}

double squared_norm(const Tensor& flat) {
  if (!flat.is_cpu()) {
    const auto norm = at::linalg_vector_norm(flat.detach(), 2, std::nullopt, false, at::kDouble).item<double>();
    return norm * norm;
  }
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
