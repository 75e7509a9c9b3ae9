// The two moments of Adam in fewer bits than the parameters have.
//
// bfloat16: rounded at random, up or down with the chances that keep the mean right. A second moment loses a thousandth
// of itself in a step, less than half of bfloat16's last place: rounded to the nearest value it would never fall.
//
// int8: blocks of 256 values, each divided by the largest magnitude of its block and stored as the nearest of 256
// levels (Dettmers et al. 2022, "8-bit optimizers via block-wise quantization", section 2.1). Of the second moment the
// root is stored, not the value as the paper does: the root is what the update divides by, and has half as many orders
// of magnitude to cover.
//
// The error of an update against float32 is measured by Moments.* of test_tensor: below 2 % of its norm in bfloat16,
// below 15 % in int8.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "attune/tensor/safetensors.h"
#include "attune/tensor/torch.h"

namespace attune {

// `full`: as the parameters.
enum class MomentPrecision { full, bfloat16, int8 };

// The levels of int8 as magnitudes, ascending from 0 to 1: seven decades down from 1, each holding twice as many
// equidistant levels as the one below it. `lowest`: levels in the lowest decade; 1 (with a sign) or 2 (without).
std::vector<float> dynamic_levels(int lowest);

class CompressedMoments {
 public:
  static constexpr std::int64_t block = 256;
  struct Block {
    std::int64_t element = 0;  // its first
    std::int64_t index = 0;    // among all blocks
    std::int64_t count = 0;    // of elements: at most `block`
  };
  struct Values {
    std::array<float, block> first = {}, second = {};
  };

  // All zero. `precision` is not full.
  CompressedMoments(MomentPrecision precision, std::int64_t elements, std::int64_t blocks);

  void load(const Block& at, Values& values) const;
  // Rounding depends on the element and the step alone. Blocks may be stored from several threads.
  void store(const Block& at, const Values& values, std::int64_t step);

  // For checkpoints: tensors may be written to, in place.
  std::vector<NamedTensor> state() const;

 private:
  MomentPrecision precision_;
  Tensor first_, second_;                // [elements] bfloat16 or uint8
  Tensor first_scales_, second_scales_;  // [blocks] float32, of int8
};

}  // namespace attune
