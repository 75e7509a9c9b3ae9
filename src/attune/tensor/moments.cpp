#include "attune/tensor/moments.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "attune/base/errors.h"

namespace attune {
namespace {

// Levels with what finds the nearest one fast: for each of the first bits of a float in (0, 1], the lowest level that
// it may be nearest to. A bin of six bits of mantissa holds at most two borders between levels.
class Levels {
 public:
  explicit Levels(int lowest) : values_(dynamic_levels(lowest)) {
    for (std::size_t i = 0; i + 1 < values_.size(); ++i) borders_.push_back((values_[i] + values_[i + 1]) / 2);
    borders_.insert(borders_.end(), 2, INFINITY);
    for (std::uint32_t bin = 0; bin < bins; ++bin) {
      const float smallest = std::bit_cast<float>((bin + first_bin) << mantissa_left);
      const auto border = std::lower_bound(borders_.begin(), borders_.end(), bin == 0 ? 0.0F : smallest);
      start_[bin] = static_cast<std::uint8_t>(border - borders_.begin());
    }
  }

  float value(std::size_t level) const { return values_[level]; }

  // `magnitude` in [0, 1].
  int nearest(float magnitude) const {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude) >> mantissa_left;
    std::size_t level = start_[std::min(std::max(bits, first_bin) - first_bin, bins - 1)];
    level += magnitude > borders_[level] ? 1 : 0;
    level += magnitude > borders_[level] ? 1 : 0;
    return static_cast<int>(level);
  }

 private:
  static constexpr std::uint32_t mantissa_left = 17;                 // of 23 bits six are looked at
  static constexpr std::uint32_t first_bin = (127 - 23) << 6;        // 2^-23: nearest to 0
  static constexpr std::uint32_t bins = (127 << 6) - first_bin + 1;  // up to 1
  std::vector<float> values_, borders_;
  std::array<std::uint8_t, bins> start_ = {};
};

const Levels& signed_levels() {
  static const Levels levels(1);
  return levels;
}
const Levels& unsigned_levels() {
  static const Levels levels(2);
  return levels;
}

constexpr int zero_code = 127;  // 1.0 is the 129th level of a sign and has no negative: 127 + 129 = 256 codes

float largest_magnitude(const float* values, std::int64_t count) {
  float largest = 0;
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  return largest;
}

// Chris Wellons' integer hash of low bias.
std::uint32_t mixed(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352dU;
  x = (x ^ (x >> 15)) * 0x846ca68bU;
  return x ^ (x >> 16);
}

// Upper half of the bits of `value` after adding 16 random bits to the lower half.
std::uint16_t rounded(float value, std::uint32_t random) {
  return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(value) + (random & 0xffffU)) >> 16);
}
float widened(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t* halves(const Tensor& tensor) { return static_cast<std::uint16_t*>(tensor.mutable_data_ptr()); }

}  // namespace

std::vector<float> dynamic_levels(int lowest) {
  std::vector<float> levels{0};
  for (int decade = 0; decade < 7; ++decade) {
    const int count = lowest << decade;
    const double top = std::pow(10.0, decade - 6);
    for (int i = 0; i < count; ++i) levels.push_back(static_cast<float>(top * (0.1 + 0.9 * (i + 0.5) / count)));
  }
  levels.push_back(1);
  return levels;
}

CompressedMoments::CompressedMoments(MomentPrecision precision, std::int64_t elements, std::int64_t blocks)
    : precision_(precision) {
  require(precision != MomentPrecision::full, "full moments are not compressed");
  const bool int8 = precision == MomentPrecision::int8;
  const at::TensorOptions options(int8 ? at::kByte : at::kBFloat16);
  first_ = at::zeros({elements}, options);
  second_ = at::zeros({elements}, options);
  if (!int8) return;
  first_.fill_(zero_code);
  first_scales_ = at::zeros({blocks}, at::kFloat);
  second_scales_ = at::zeros({blocks}, at::kFloat);
}

void CompressedMoments::load(const Block& at, Values& values) const {
  if (precision_ == MomentPrecision::bfloat16) {
    const std::uint16_t *first = halves(first_) + at.element, *second = halves(second_) + at.element;
    for (std::int64_t i = 0; i < at.count; ++i) {
      values.first[static_cast<std::size_t>(i)] = widened(first[i]);
      values.second[static_cast<std::size_t>(i)] = widened(second[i]);
    }
    return;
  }
  const Levels &with_sign = signed_levels(), &without = unsigned_levels();
  const std::uint8_t* first = first_.const_data_ptr<std::uint8_t>() + at.element;
  const std::uint8_t* second = second_.const_data_ptr<std::uint8_t>() + at.element;
  const float scale = first_scales_.const_data_ptr<float>()[at.index];
  const float root_scale = second_scales_.const_data_ptr<float>()[at.index];
  for (std::int64_t i = 0; i < at.count; ++i) {
    const int code = first[i] - zero_code;
    const float magnitude = scale * with_sign.value(static_cast<std::size_t>(std::abs(code)));
    const float root = root_scale * without.value(second[i]);
    values.first[static_cast<std::size_t>(i)] = code < 0 ? -magnitude : magnitude;
    values.second[static_cast<std::size_t>(i)] = root * root;
  }
}

void CompressedMoments::store(const Block& at, const Values& values, std::int64_t step) {
  if (precision_ == MomentPrecision::bfloat16) {
    std::uint16_t *first = halves(first_) + at.element, *second = halves(second_) + at.element;
    const std::uint32_t seed = mixed(static_cast<std::uint32_t>(step));
    for (std::int64_t i = 0; i < at.count; ++i) {
      const std::uint32_t random = mixed(static_cast<std::uint32_t>(at.element + i) ^ seed);
      first[i] = rounded(values.first[static_cast<std::size_t>(i)], random);
      second[i] = rounded(values.second[static_cast<std::size_t>(i)], random >> 16);
    }
    return;
  }
  const Levels &with_sign = signed_levels(), &without = unsigned_levels();
  std::uint8_t* first = first_.mutable_data_ptr<std::uint8_t>() + at.element;
  std::uint8_t* second = second_.mutable_data_ptr<std::uint8_t>() + at.element;
  const float scale = largest_magnitude(values.first.data(), at.count);
  const float root_scale = std::sqrt(largest_magnitude(values.second.data(), at.count));
  const float up = scale > 0 ? 1 / scale : 0, root_up = root_scale > 0 ? 1 / root_scale : 0;
  for (std::int64_t i = 0; i < at.count; ++i) {
    const float value = values.first[static_cast<std::size_t>(i)];
    const int level = with_sign.nearest(std::min(1.0F, std::abs(value) * up));
    first[i] = static_cast<std::uint8_t>(value < 0 ? zero_code - std::min(level, zero_code) : zero_code + level);
    const float root = std::sqrt(values.second[static_cast<std::size_t>(i)]);
    second[i] = static_cast<std::uint8_t>(without.nearest(std::min(1.0F, root * root_up)));
  }
  first_scales_.mutable_data_ptr<float>()[at.index] = scale;
  second_scales_.mutable_data_ptr<float>()[at.index] = root_scale;
}

std::vector<NamedTensor> CompressedMoments::state() const {
  std::vector<NamedTensor> tensors{{"first_moment_codes", first_}, {"second_moment_codes", second_}};
  if (precision_ == MomentPrecision::int8) {
    tensors.push_back({"first_moment_scales", first_scales_});
    tensors.push_back({"second_moment_scales", second_scales_});
  }
  return tensors;
}

}  // namespace attune
