// Several models that write one text: the next token follows softmax(sum_m weight_m log p_m(token | so far)).
//
// Each model keeps its own keys and values of the same tokens. Weights 1 + a and -a of a policy and the one before it
// are a step of momentum in the space of logits (He et al. 2024, arXiv:2410.06293); 1 and b, -b of a large model and
// of a small one before and after tuning carry the tuning over (Liu et al. 2024, "Tuning Language Models by Proxy",
// arXiv:2401.08565). Normalised token by token: over whole answers this is not the product of the models' answer
// probabilities, whose normaliser nobody can sum.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/model/decoder.h"

namespace attune {

struct WeightedModel {
  const LanguageModel* model = nullptr;
  double weight = 1;  // finite
};

// The Decoder of the combination. With one model of weight 1 it gives that model's logits, bit for bit.
class CombinedDecoder {
 public:
  using Slot = Decoder::Slot;

  // The models must outlive it, and are under what holds for a Decoder's. Those of weight 0 are left out, at least one
  // must be left. Throws ConfigError for models whose vocabularies differ in size.
  explicit CombinedDecoder(std::span<const WeightedModel> models);

  // As those of Decoder. Logits are float32, contiguous, in the CPU's memory whatever the models' device, and known up
  // to a constant a row: they stand for sum_m weight_m log p_m, summed in float64.
  Decoder::Prefilled prefill(std::span<const std::span<const std::int32_t>> prompts);
  Tensor step(std::span<const Slot> slots, std::span<const std::int32_t> ids);
  Slot fork(Slot slot);
  void release(Slot slot);

  // What the shortest of the models reaches.
  std::int64_t max_positions() const { return max_positions_; }

 private:
  Tensor combined(const std::vector<Tensor>& logits) const;

  std::vector<Decoder> decoders_;
  std::vector<double> weights_;
  std::int64_t max_positions_ = 0;
};

}  // namespace attune
