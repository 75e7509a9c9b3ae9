#include "attune/policy/layout.h"

#include <utility>

namespace attune {

std::int64_t Layout::add(const RecordView& record, std::int32_t completion, ResponseRole role, Extent extent) {
  for (std::size_t i = record_begin_; i < batch_.responses.size(); ++i) {
    const auto& known = batch_.responses[i];
    if (known.completion == completion && known.role == role && known.extent == extent)
      return static_cast<std::int64_t>(i);
  }
  const auto at = static_cast<std::size_t>(completion);
  const std::int64_t tokens = extent == Extent::answer ? record.scored_tokens[at] : record.sequence_tokens[at] - 1;
  batch_.responses.push_back({.record = record.index,
                              .completion = completion,
                              .prompt = record.index,
                              .role = role,
                              .tokens = tokens,
                              .extent = extent,
                              .labels = record.labels.empty() ? CompletionLabels{} : record.labels[at]});
  return static_cast<std::int64_t>(batch_.responses.size()) - 1;
}

std::int64_t Layout::add_probe(const RecordView& record, std::int32_t completion) {
  if (record.probe_prompt < 0) return -1;
  const std::int64_t index = add(record, completion, ResponseRole::kl_probe);
  batch_.responses[static_cast<std::size_t>(index)].prompt = record.probe_prompt;
  return index;
}

void Layout::pair(std::int64_t chosen, std::int64_t rejected, const RecordView::Preference& preference) {
  for (const auto& known : paired_) {
    if (known == PairKey{chosen, rejected, &preference}) return;
  }
  paired_.emplace_back(chosen, rejected, &preference);
  batch_.pairs.push_back({chosen, rejected, preference.margin, preference.weight, preference.probability});
}

void Layout::group(std::span<const std::int64_t> responses) {
  batch_.group.resize(batch_.responses.size(), -1);
  for (const std::int64_t response : responses) batch_.group[static_cast<std::size_t>(response)] = groups_;
  ++groups_;
}

void Layout::end_record() {
  record_begin_ = batch_.responses.size();
  paired_.clear();
  ++batch_.records;
}

Batch Layout::take() {
  if (groups_ > 0) batch_.group.resize(batch_.responses.size(), -1);
  record_begin_ = 0;
  groups_ = 0;
  return std::exchange(batch_, {});
}

}  // namespace attune
