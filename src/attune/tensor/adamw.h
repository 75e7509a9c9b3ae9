// AdamW over flat buffers, and what a step does to the gradient before it: its norm, and clipping.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "attune/tensor/moments.h"
#include "attune/tensor/torch.h"

namespace attune {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  MomentPrecision moments = MomentPrecision::full;  // of matrices; what is left stays as the parameters
};

// Adam with decoupled weight decay (Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2),
// with bias correction and epsilon placed as torch.optim.AdamW does: one pass over memory.
class AdamW {
 public:
  // `matrices`: the ranges of `parameters` that weight decay applies to and whose moments may be compressed; ascending.
  // Parameters are flat, float32 or float64 (float32 in the CPU's memory alone with compressed moments), and shared.
  AdamW(Tensor parameters, AdamWOptions options, const std::vector<std::pair<std::int64_t, std::int64_t>>& matrices);

  // The learning rate of parameters [begin, end) is `factor` times that of begin(). They begin and end where matrices
  // do.
  void set_rate(std::int64_t begin, std::int64_t end, double factor);

  // One step is begin(), then update() of every parameter once, in any order.
  void begin(double learning_rate);
  // Parameters [first, first + n) by `gradient * scale` (clipping rides along here); n elements, contiguous, on the
  // parameters' device, and off the CPU overwritten. A range begins and ends where matrices do.
  void update(std::int64_t first, const Tensor& gradient, double scale = 1);

  // For checkpoints: tensors may be written to, in place.
  std::vector<NamedTensor> state() const;
  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  // Parameters in a row that are treated alike.
  struct Stretch {
    std::int64_t begin = 0, end = 0;
    bool matrix = false;
    double rate = 1;         // times the learning rate
    std::int64_t place = 0;  // of its moments: the first block of compressed ones, else the first element
  };
  void add_stretch(std::int64_t begin, std::int64_t end, bool matrix);
  template <typename T>
  void update_stretch(const Stretch& stretch, std::int64_t begin, std::int64_t end, const T* gradient, double scale);
  void update_by_pieces(std::int64_t first, const Tensor& gradient, double scale);
  bool compressed(const Stretch& stretch) const { return compressed_ && stretch.matrix; }

  AdamWOptions options_;
  Tensor parameters_;
  std::vector<Stretch> stretches_;
  std::int64_t blocks_ = 0, full_ = 0;  // how many of each the stretches have
  Tensor first_, second_;               // [full_]
  std::optional<CompressedMoments> compressed_;
  std::int64_t steps_ = 0;
  double learning_rate_ = 0;
};

// Square of the 2-norm, summed in float64, on the CPU in an order that does not depend on the number of threads. Not
// finite when any element is not. Waits for the device.
double squared_norm(const Tensor& flat);

// What the gradient is multiplied by so that its norm is at most `largest`: min(1, largest / (norm + 1e-6)) as
// torch.nn.utils.clip_grad_norm_; 1 when largest is 0. The norm must be finite: check it first, one NaN would
// spread to every parameter.
double clip_scale(double norm, double largest);

}  // namespace attune
