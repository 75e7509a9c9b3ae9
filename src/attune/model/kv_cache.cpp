#include "attune/model/kv_cache.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "attune/base/errors.h"
#include "attune/base/threads.h"
#include "attune/tensor/kernels.h"
#include "attune/tensor/reference.h"

namespace attune {
namespace {

constexpr std::int64_t first_rows = 16;         // of a sequence's tail; doubled when full
constexpr std::int64_t work_of_task = 1 << 16;  // multiplications worth waking a thread for

// kernels::attend with a soft cap on the scores.
template <typename T>
void attend_capped(const kernels::DecodeAttention<T>& a, double soft_cap) {
  std::int64_t count = 0;
  double largest = -soft_cap, sum = 0;
  for (const kernels::Stretch<T>& stretch : a.seen) {
    for (std::int64_t row = 0; row < stretch.rows; ++row) {
      const T* key = stretch.keys + row * a.width;
      const double score = a.scale * static_cast<double>(std::inner_product(key, key + a.width, a.query, T(0)));
      const double capped = soft_cap * std::tanh(score / soft_cap);
      largest = std::max(largest, capped);
      a.scores[count++] = static_cast<T>(capped);
    }
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const double weight = std::exp(static_cast<double>(a.scores[i]) - largest);
    a.scores[i] = static_cast<T>(weight);
    sum += weight;
  }
  std::fill_n(a.out, a.width, T(0));
  const T* weight = a.scores;
  for (const kernels::Stretch<T>& stretch : a.seen) {
    for (std::int64_t row = 0; row < stretch.rows; ++row, ++weight) {
      const T share = *weight / static_cast<T>(sum);
      for (std::int64_t i = 0; i < a.width; ++i) a.out[i] += share * stretch.values[row * a.width + i];
    }
  }
}

}  // namespace

KvCache::Slot KvCache::place(Sequence sequence) {
  if (free_.empty()) {
    sequences_.emplace_back(std::move(sequence));
    return static_cast<Slot>(sequences_.size() - 1);
  }
  const Slot slot = free_.back();
  free_.pop_back();
  sequences_[static_cast<std::size_t>(slot)] = std::move(sequence);
  return slot;
}

const KvCache::Sequence& KvCache::of(Slot slot) const {
  const auto index = static_cast<std::size_t>(slot);
  require(slot >= 0 && index < sequences_.size() && sequences_[index].has_value(), "a slot that is not in use");
  return *sequences_[index];
}

KvCache::Slot KvCache::add(Tensor prompt) {
  require(prompt.is_contiguous() && prompt.dtype() == shape_.tensors.dtype() && prompt.dim() == 5 &&
              prompt.size(0) == shape_.layers && prompt.size(1) == 2 && prompt.size(2) == shape_.kv_heads &&
              prompt.size(3) > 0 && prompt.size(4) == shape_.head_width,
          "a prompt's keys and values in another shape than the cache's");
  return place({.prompt = std::make_shared<const Tensor>(std::move(prompt)), .tail = {}, .appended = 0});
}

KvCache::Slot KvCache::fork(Slot slot) {
  Sequence copy = of(slot);
  copy.tail = copy.appended > 0 ? copy.tail.clone() : Tensor();
  return place(std::move(copy));
}

void KvCache::release(Slot slot) {
  of(slot);
  sequences_[static_cast<std::size_t>(slot)].reset();
  free_.push_back(slot);
}

std::int64_t KvCache::length(Slot slot) const { return of(slot).length(); }

std::size_t KvCache::size() const { return sequences_.size() - free_.size(); }

void KvCache::extend(std::span<const Slot> slots) {
  std::vector<Slot> sorted(slots.begin(), slots.end());
  std::sort(sorted.begin(), sorted.end());
  require(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(), "a slot twice in one step");
  for (const Slot slot : slots) {
    of(slot);
    Sequence& sequence = *sequences_[static_cast<std::size_t>(slot)];
    const std::int64_t capacity = sequence.tail.defined() ? sequence.tail.size(3) : 0;
    if (sequence.appended == capacity) {
      const Tensor larger = at::empty(
          {shape_.layers, 2, shape_.kv_heads, std::max(first_rows, 2 * capacity), shape_.head_width}, shape_.tensors);
      if (capacity > 0) larger.slice(3, 0, capacity).copy_(sequence.tail);
      sequence.tail = larger;
    }
    ++sequence.appended;
  }
}

template <typename T>
void KvCache::attend_typed(const DecodeScope& scope, std::span<const Slot> slots, const Heads& heads,
                           const Tensor& out) {
  const std::int64_t width = shape_.head_width, kv_heads = shape_.kv_heads, group = heads.queries.size(1) / kv_heads;
  const auto layer = static_cast<std::int64_t>(scope.layer);
  const T* queries = heads.queries.const_data_ptr<T>();
  const T* keys = heads.keys.const_data_ptr<T>();
  const T* values = heads.values.const_data_ptr<T>();
  T* result = out.mutable_data_ptr<T>();
  std::int64_t work = 1;
  for (const Slot slot : slots) work += of(slot).length() * heads.queries.size(1) * width * 2;
  const std::size_t pairs = slots.size() * static_cast<std::size_t>(kv_heads);
  const auto grain = static_cast<std::size_t>(work_of_task * static_cast<std::int64_t>(pairs) / work + 1);
  parallel_for(pairs, grain, [&](std::size_t begin, std::size_t end) {
    std::vector<T> scores;
    for (auto pair = static_cast<std::int64_t>(begin); pair < static_cast<std::int64_t>(end); ++pair) {
      const std::int64_t row = pair / kv_heads, head = pair % kv_heads;
      const Sequence& sequence = of(slots[static_cast<std::size_t>(row)]);
      const std::int64_t prompt = sequence.prompt_rows(), capacity = sequence.tail.size(3);
      const T* prompt_keys = sequence.prompt->const_data_ptr<T>() + (2 * layer * kv_heads + head) * prompt * width;
      T* tail_keys = sequence.tail.mutable_data_ptr<T>() + (2 * layer * kv_heads + head) * capacity * width;
      T* tail_values = tail_keys + kv_heads * capacity * width;
      const std::int64_t newest = (sequence.appended - 1) * width;
      std::copy_n(keys + pair * width, width, tail_keys + newest);
      std::copy_n(values + pair * width, width, tail_values + newest);

      const std::int64_t hidden = scope.window > 0 ? std::max<std::int64_t>(0, sequence.length() - scope.window) : 0;
      const std::int64_t of_prompt = std::min(hidden, prompt), of_tail = hidden - of_prompt;
      scores.resize(static_cast<std::size_t>(sequence.length() - hidden));
      kernels::DecodeAttention<T> attention{
          .query = nullptr,
          .seen = {{prompt_keys + of_prompt * width, prompt_keys + (kv_heads * prompt + of_prompt) * width,
                    prompt - of_prompt},
                   {tail_keys + of_tail * width, tail_values + of_tail * width, sequence.appended - of_tail}},
          .scores = scores.data(),
          .out = nullptr,
          .width = width,
          .scale = scope.scale};
      for (std::int64_t i = 0; i < group; ++i) {
        attention.query = queries + (pair * group + i) * width;
        attention.out = result + (pair * group + i) * width;
        if (scope.soft_cap > 0) {
          attend_capped(attention, scope.soft_cap);
        } else {
          kernels::attend(attention);
        }
      }
    }
  });
}

Tensor KvCache::attend_reference(const DecodeScope& scope, Slot slot, const Heads& row) const {
  const Sequence& sequence = of(slot);
  const auto layer = static_cast<std::int64_t>(scope.layer);
  const Tensor prompt = (*sequence.prompt)[layer], tail = sequence.tail[layer].slice(2, 0, sequence.appended);
  tail.select(2, sequence.appended - 1).copy_(at::stack({row.keys, row.values}));
  const std::int64_t hidden = scope.window > 0 ? std::max<std::int64_t>(0, sequence.length() - scope.window) : 0;
  const Tensor seen = at::cat({prompt, tail}, 2).slice(2, hidden);         // [2, kv_heads, rows, e]
  const Tensor queries = row.queries.unflatten(0, {shape_.kv_heads, -1});  // [kv_heads, g, e]
  Tensor scores = at::matmul(queries, seen[0].transpose(1, 2)) * scope.scale;
  if (scope.soft_cap > 0) scores = at::tanh(scores / scope.soft_cap) * scope.soft_cap;
  return at::matmul(at::softmax(scores, -1), seen[1]).flatten(0, 1);
}

Tensor KvCache::attend(const DecodeScope& scope, std::span<const Slot> slots, const Heads& heads) {
  require(heads.queries.size(0) == static_cast<std::int64_t>(slots.size()), "as many queries as slots");
  if (use_reference(heads.queries)) {
    std::vector<Tensor> mixed;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto row = [&](const Tensor& x) { return x[static_cast<std::int64_t>(i)]; };
      mixed.push_back(attend_reference(scope, slots[i], {row(heads.queries), row(heads.keys), row(heads.values)}));
    }
    return at::stack(mixed);
  }
  const Heads rows{heads.queries.contiguous(), heads.keys.contiguous(), heads.values.contiguous()};
  const Tensor out = at::empty(rows.queries.sizes(), rows.queries.options());
  if (rows.queries.scalar_type() == at::kDouble) {
    attend_typed<double>(scope, slots, rows, out);
  } else {
    require(rows.queries.scalar_type() == at::kFloat, "a cache of another type than float32 and float64");
    attend_typed<float>(scope, slots, rows, out);
  }
  return out;
}

}  // namespace attune
