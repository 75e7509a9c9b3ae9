#include "attune/reports/compared_items.h"

#include <algorithm>
#include <map>

namespace attune {
namespace {

// A comparison's outcome as a value: the same for the same opinion whichever completion was called a.
double value_of(Outcome outcome, bool swapped) {
  if (outcome == Outcome::a) return swapped ? 1 : 0;
  if (outcome == Outcome::b) return swapped ? 0 : 1;
  return static_cast<double>(outcome);
}

}  // namespace

std::vector<ComparedItem> compared_items(const Dataset& dataset) {
  std::vector<ComparedItem> items;
  for (std::size_t r = 0; r < dataset.records.size(); ++r) {
    const Record& record = dataset.records[r];
    const std::vector<bool> old = superseded(record);
    std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> known;
    for (std::size_t i = 0; i < record.feedback.size(); ++i) {
      const Feedback& feedback = record.feedback[i];
      const auto* comparison = std::get_if<Comparison>(&feedback.what);
      if (comparison == nullptr || old[i] || feedback.annotator < 0) continue;
      if (comparison->a.completion < 0 || comparison->b.completion < 0) continue;
      const auto pair = std::minmax(comparison->a.completion, comparison->b.completion);
      const auto [place, fresh] = known.try_emplace({pair.first, pair.second}, items.size());
      if (fresh) items.push_back({.record = record.id.empty() ? std::to_string(r) : record.id});
      const bool swapped = comparison->a.completion > comparison->b.completion;
      items[place->second].votes.push_back(
          {static_cast<std::int32_t>(place->second), feedback.annotator, value_of(comparison->outcome, swapped)});
    }
  }
  return items;
}

}  // namespace attune
