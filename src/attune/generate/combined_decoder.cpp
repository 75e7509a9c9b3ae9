#include "attune/generate/combined_decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "attune/base/errors.h"

namespace attune {
namespace {

// The answer that all give: caches that are asked for the same things in the same order number their slots alike.
template <class Ask>
Decoder::Slot same_slot(std::vector<Decoder>& decoders, const Ask& ask) {
  const Decoder::Slot slot = ask(decoders.front());
  for (std::size_t m = 1; m < decoders.size(); ++m) {
    require(ask(decoders[m]) == slot, "models that write one text number its slots differently");
  }
  return slot;
}

void require_one_vocabulary(const LanguageModel& a, const LanguageModel& b) {
  const std::int64_t first = a.config().vocabulary, second = b.config().vocabulary;
  if (first == second) return;
  throw ConfigError({.field = "models"},
                    "vocabularies of " + std::to_string(first) + " and of " + std::to_string(second) + " tokens",
                    "models of one vocabulary");
}

}  // namespace

CombinedDecoder::CombinedDecoder(std::span<const WeightedModel> models) {
  const LanguageModel* first = nullptr;
  for (const auto& [model, weight] : models) {
    require(model != nullptr && std::isfinite(weight), "no model, or a weight that is not finite");
    if (weight == 0) continue;
    if (first == nullptr) {
      first = model;
      max_positions_ = model->config().max_positions;
    }
    require_one_vocabulary(*first, *model);
    decoders_.emplace_back(*model);
    weights_.push_back(weight);
    max_positions_ = std::min(max_positions_, model->config().max_positions);
  }
  require(first != nullptr, "models whose weights are all 0");
}

Tensor CombinedDecoder::combined(const std::vector<Tensor>& logits) const {
  if (logits.size() == 1 && weights_[0] == 1) return logits[0].to(at::kCPU, at::kFloat).contiguous();
  Tensor sum = logits[0].to(at::kDouble) * weights_[0];
  for (std::size_t m = 1; m < logits.size(); ++m) sum.add_(logits[m], weights_[m]);
  return sum.to(at::kCPU, at::kFloat).contiguous();
}

Decoder::Prefilled CombinedDecoder::prefill(std::span<const std::span<const std::int32_t>> prompts) {
  std::vector<Tensor> logits;
  std::vector<Slot> slots;
  for (Decoder& decoder : decoders_) {
    auto [own_slots, own_logits] = decoder.prefill(prompts);
    require(slots.empty() || own_slots == slots, "models that write one text number its slots differently");
    slots = std::move(own_slots);
    logits.push_back(std::move(own_logits));
  }
  return {.slots = std::move(slots), .logits = combined(logits)};
}

Tensor CombinedDecoder::step(std::span<const Slot> slots, std::span<const std::int32_t> ids) {
  std::vector<Tensor> logits;
  for (Decoder& decoder : decoders_) logits.push_back(decoder.step(slots, ids));
  return combined(logits);
}

CombinedDecoder::Slot CombinedDecoder::fork(Slot slot) {
  return same_slot(decoders_, [slot](Decoder& decoder) { return decoder.fork(slot); });
}

void CombinedDecoder::release(Slot slot) {
  for (Decoder& decoder : decoders_) decoder.release(slot);
}

}  // namespace attune
