// Keys and values of sequences that are being written, one slot each. A prompt's are stored once, however many samples
// continue it. Rows are kept whole under a sliding window too: what it hides is skipped, not dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "attune/tensor/operations.h"
#include "attune/tensor/torch.h"

namespace attune {

struct CacheShape {
  std::int64_t layers = 0, kv_heads = 0, head_width = 0;
  at::TensorOptions tensors = at::kFloat;  // element type (float32 or float64 on the CPU) and device
};

struct DecodeScope {
  std::size_t layer = 0;
  std::int64_t window = 0;  // a query at position p sees keys at positions above p - window; 0: no limit
  double scale = 1;         // of the scores
  double soft_cap = 0;      // c: scores become c tanh(score / c); 0: none
};

class KvCache {
 public:
  using Slot = std::int32_t;

  explicit KvCache(const CacheShape& shape) : shape_(shape) {}

  // Takes a prompt's keys and values, contiguous [layers, 2, kv_heads, P, head_width] with keys first. Slots are
  // reused.
  Slot add(Tensor prompt);
  // A slot with the same rows: the prompt's are shared, those appended since are copied.
  Slot fork(Slot slot);
  // Frees the slot's own rows, and the prompt's with the last slot that shares them.
  void release(Slot slot);

  std::int64_t length(Slot slot) const;  // tokens of the sequence
  std::size_t size() const;              // slots in use

  // Room for one more token in each of these slots, which must differ. Then, layer by layer, attend().
  void extend(std::span<const Slot> slots);

  // Stores keys and values [B, kv_heads, e] as the newest row of slot i each, and lets queries [B, heads, e] look at
  // all rows of their own slot: [B, heads, e]. Each row's result depends on that row and its slot alone, bit for bit.
  Tensor attend(const DecodeScope& scope, std::span<const Slot> slots, const Heads& heads);

 private:
  struct Sequence {
    std::shared_ptr<const Tensor> prompt;  // [layers, 2, kv_heads, P, e]
    Tensor tail;                           // [layers, 2, kv_heads, capacity, e], undefined at first
    std::int64_t appended = 0;             // rows of the tail in use

    std::int64_t prompt_rows() const { return prompt->size(3); }
    std::int64_t length() const { return prompt_rows() + appended; }
  };
  Slot place(Sequence sequence);
  const Sequence& of(Slot slot) const;
  // Of one slot: queries [heads, e], keys and values [kv_heads, e]; gives [heads, e].
  Tensor attend_reference(const DecodeScope& scope, Slot slot, const Heads& row) const;
  template <typename T>
  void attend_typed(const DecodeScope& scope, std::span<const Slot> slots, const Heads& heads, const Tensor& out);

  CacheShape shape_;
  std::vector<std::optional<Sequence>> sequences_;
  std::vector<Slot> free_;
};

}  // namespace attune
