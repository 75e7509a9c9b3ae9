// Token by token: a model over a cache of keys and values, many sequences at once.
//
// Logits are those of the full forward pass (LanguageModel::logits) up to rounding: tests hold them to 1e-5 in float32
// and 1e-12 in float64, for logits of a few units. What else is in the batch reaches a sequence only through the matrix
// products, which may sum in another order for another number of rows: rounding again, never more. The same batch
// repeats bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/model/kv_cache.h"
#include "attune/model/language_model.h"

namespace attune {

class Decoder {
 public:
  using Slot = KvCache::Slot;

  // The model must outlive it. Its weights may change between sequences, not under one. The adapter, if any, is on.
  // Nothing here records gradients.
  explicit Decoder(const LanguageModel& model);

  struct Prefilled {
    std::vector<Slot> slots;  // in order of the prompts
    Tensor logits;            // [prompts, V] of each prompt's last token
  };
  // Runs prompts of any lengths, none empty, in one pass without padding. Throws DataError for token ids beyond the
  // vocabulary and prompts longer than learned positions reach.
  Prefilled prefill(std::span<const std::span<const std::int32_t>> prompts);

  // Appends one token to each slot, all different: logits [B, V] of what follows, on the model's device as all are.
  // Errors as prefill(), and DataError where a sequence grows beyond the length at which its rotary positions change
  // (dynamic and longrope scaling).
  Tensor step(std::span<const Slot> slots, std::span<const std::int32_t> ids);

  // Another sequence that goes on from the same tokens; the prompt's keys and values are shared.
  Slot fork(Slot slot) { return cache_.fork(slot); }
  void release(Slot slot) { cache_.release(slot); }
  std::int64_t length(Slot slot) const { return cache_.length(slot); }  // tokens so far, the prompt's included
  std::size_t slots_in_use() const { return cache_.size(); }

 private:
  struct Rows;
  Tensor logits(const Rows& rows);

  const LanguageModel& model_;
  KvCache cache_;
};

}  // namespace attune
