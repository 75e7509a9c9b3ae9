#include "attune/train/memory.h"

#include <algorithm>

#include "attune/base/machine.h"
#include "attune/tensor/device.h"
#include "attune/train/reference.h"
#include "attune/train/stage.h"

namespace attune {
namespace {

constexpr double process_bytes = 0.4e9;  // the program, its libraries, their threads
constexpr double margin = 0.9;           // of the usable memory: the rest goes to data, pieces and the system

// Bytes a trained parameter costs beside its weight: its gradient and both moments.
double state_bytes(const OptimizerSettings& optimizer, double number) {
  const double moments = optimizer.moments == MomentPrecision::full       ? 2 * number
                         : optimizer.moments == MomentPrecision::bfloat16 ? 4
                                                                          : 2;
  return moments + (optimizer.in_backward ? 0 : number);
}

}  // namespace

std::int64_t frozen_copies(const RunSettings& settings, const Needs& needs) {
  std::int64_t copies = 0;
  for (const std::string& role : needs.frozen_models()) {
    copies += frozen_use(settings, needs, role) == FrozenUse::copy ? 1 : 0;
  }
  return copies;
}

std::int64_t largest_micro_batch(const Batches& batches, std::span<const TokenRecord> records) {
  std::int64_t largest = 0;
  for (std::int64_t step = 0; step < batches.steps(); ++step) {
    for (const auto& bin : batches.at(step)) {
      std::int64_t tokens = 0;
      for (const std::int64_t record : bin) tokens += records[static_cast<std::size_t>(record)].tokens();
      largest = std::max(largest, tokens);
    }
  }
  return largest;
}

double step_bytes(const RunSettings& settings, const ModelConfig& config, const ParameterCounts& counts,
                  std::int64_t tokens, bool recompute) {
  const double number = settings.model.dtype == Dtype::float64 ? 8 : 4;
  const auto width = static_cast<double>(config.width);
  const auto inner = static_cast<double>(
      std::max(config.feed_forward, config.experts.a_token * config.experts.width + config.experts.shared_width));
  const auto query = static_cast<double>(config.heads * config.head_width);
  const auto key = static_cast<double>(config.kv_heads * config.head_width);
  const auto layers = static_cast<double>(config.layers), rows = static_cast<double>(tokens);
  // Kept of a block: two sums and what both norms make of them, queries, keys, values, what attention mixes, gate and
  // up and their product. Of a block that is computed again: the two halves of the residual stream.
  const double block = 4 * width + 2 * query + 2 * key + 3 * inner;
  const double kept = recompute ? layers * 2 * width + block : layers * block;
  const double at_work = 2 * inner + 2 * width;  // gradients on their way through one block
  const double logits =
      std::min(settings.model.head_cache_gib * 1073741824.0, rows * static_cast<double>(config.vocabulary) * number);
  return process_bytes + number * (counts.all + counts.frozen_copies) +
         counts.trained * state_bytes(settings.optimizer, number) + number * rows * (kept + at_work) + logits;
}

double usable_bytes(const RunSettings& settings) {
  if (settings.memory_gib > 0) return settings.memory_gib * 1073741824.0;
  const at::Device device = device_of(settings);
  if (!device.is_cpu()) return available_memory(device) + tensor_memory(device).current;
  return available_memory_bytes() + resident_bytes();
}

bool recompute_blocks(const RunSettings& settings, const ModelConfig& config, const ParameterCounts& counts,
                      std::int64_t tokens) {
  if (settings.model.recompute != Recompute::automatic) return settings.model.recompute == Recompute::on;
  return step_bytes(settings, config, counts, tokens, false) > margin * usable_bytes(settings);
}

}  // namespace attune
