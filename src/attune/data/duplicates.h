// Pairs that say the same or contradict each other, and prompts that two data sets share.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>

#include "attune/data/record.h"

namespace attune {

struct DuplicateCounts {
  std::int64_t repeated =
      0;  // decided pairs whose prompt, chosen and rejected texts stood before, by the same annotator
  std::int64_t conflicting = 0;  // pairs whose texts also stand with chosen and rejected swapped, by the same annotator
};

// Counts record by record; only hashes of the pairs are kept.
class DuplicateCounter {
 public:
  void add(const Record& record);
  const DuplicateCounts& counts() const { return counts_; }

 private:
  DuplicateCounts counts_;
  std::unordered_set<std::string> seen_;
};

// Votes of different people on one pair are neither: that is what they were asked for. Records without annotators count
// as one person's.
DuplicateCounts count_duplicates(const Dataset& dataset);

// Records of `held_out` whose first completion's prompt also stands in `train`.
std::int64_t shared_prompts(const Dataset& train, const Dataset& held_out);

}  // namespace attune
