#include "attune/policy/layout.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "attune/base/errors.h"

namespace attune {

std::int64_t Layout::add(const RecordView& record, std::int32_t completion, ResponseRole role, Extent extent) {
  for (std::size_t i = record_begin_; i < batch_.responses.size(); ++i) {
    const auto& known = batch_.responses[i];
    if (known.completion == completion && known.role == role && known.extent == extent)
      return static_cast<std::int64_t>(i);
  }
  const auto at = static_cast<std::size_t>(completion);
  require(extent != Extent::whole || at < record.sequence_tokens.size(), "a whole sequence of unknown length");
  const std::int64_t tokens = extent == Extent::answer  ? record.scored_tokens[at]
                              : extent == Extent::whole ? record.sequence_tokens[at] - 1
                                                        : 1;
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
  batch_.pairs.push_back(
      {chosen, rejected, preference.margin, preference.weight, preference.probability, preference.votes});
}

void Layout::group(std::span<const std::int64_t> responses) {
  require(!responses.empty(), "a group of no responses");
  batch_.group.resize(batch_.responses.size(), -1);
  const auto group_of = [&](std::int64_t response) -> std::int64_t& {
    return batch_.group[static_cast<std::size_t>(response)];
  };
  const std::int64_t known = group_of(responses.front());
  const auto in_known = [&](std::int64_t response) { return group_of(response) == known; };
  require(std::all_of(responses.begin(), responses.end(), in_known), "a response of two groups");
  if (known >= 0) {
    require(std::count(batch_.group.begin(), batch_.group.end(), known) == std::ssize(responses),
            "a response of two groups");
    return;
  }
  for (const std::int64_t response : responses) group_of(response) = groups_;
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
