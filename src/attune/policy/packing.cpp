#include "attune/policy/packing.h"

#include <algorithm>
#include <numeric>

namespace attune {

std::vector<std::vector<std::int64_t>> pack(std::span<const TokenRecord> records, std::vector<std::int64_t> members,
                                            std::int64_t tokens) {
  const auto size = [&](std::int64_t i) { return records[static_cast<std::size_t>(i)].tokens(); };
  std::stable_sort(members.begin(), members.end(), [&](auto a, auto b) { return size(a) > size(b); });
  std::vector<std::vector<std::int64_t>> bins;
  std::vector<std::int64_t> filled;
  for (const std::int64_t member : members) {
    std::size_t best = bins.size();
    for (std::size_t bin = 0; bin < bins.size(); ++bin) {
      if (filled[bin] + size(member) <= tokens && (best == bins.size() || filled[bin] > filled[best])) best = bin;
    }
    if (best == bins.size()) {
      bins.emplace_back();
      filled.push_back(0);
    }
    bins[best].push_back(member);
    filled[best] += size(member);
  }
  return bins;
}

std::vector<std::vector<std::int64_t>> bins_of(std::span<const TokenRecord> records, std::int64_t tokens) {
  std::vector<std::int64_t> all(records.size());
  std::iota(all.begin(), all.end(), 0);
  return pack(records, std::move(all), tokens);
}

}  // namespace attune
