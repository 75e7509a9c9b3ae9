// How much memory a training step needs, from the shapes alone: what decides, before the first step, whether blocks
// keep their activations or are computed again in the backward pass (Chen et al. 2016, "Training deep nets with
// sublinear memory cost").
#pragma once

#include <cstdint>
#include <span>

#include "attune/model/model_config.h"
#include "attune/train/batches.h"
#include "attune/train/run.h"

namespace attune {

// Numbers of the model, its adapter and its heads; and of whole frozen models that steps run.
struct ParameterCounts {
  double all = 0, trained = 0, frozen_copies = 0;
};

// Whole frozen models that stay beside the policy.
std::int64_t frozen_copies(const RunSettings& settings, const Needs& needs);

// Tokens of the largest micro-batch.
std::int64_t largest_micro_batch(const Batches& batches, std::span<const TokenRecord> records);

// Bytes of weights, gradients, moments, activations and cached logits at the peak of a step. Activations are those of a
// gated block with `tokens` rows, the most that a block of the families keeps.
double step_bytes(const RunSettings& settings, const ModelConfig& config, const ParameterCounts& counts,
                  std::int64_t tokens, bool recompute);

// What the run may use: `memory_gib`, else what the machine has available and this process holds already.
double usable_bytes(const RunSettings& settings);

// Whether blocks are computed again: as `model.recompute` says, or where the step does not fit otherwise.
bool recompute_blocks(const RunSettings& settings, const ModelConfig& config, const ParameterCounts& counts,
                      std::int64_t tokens);

}  // namespace attune
