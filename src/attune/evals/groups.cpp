#include "attune/evals/groups.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/base/random.h"

namespace attune {

void Groups::add(const std::string& group, double value) {
  auto place = std::find_if(groups_.begin(), groups_.end(), [&](const Group& one) { return one.name == group; });
  if (place == groups_.end()) place = groups_.insert(place, Group{.name = group});
  place->values.push_back(value);
}

const Group* Groups::find(const std::string& name) const {
  const auto place = std::find_if(groups_.begin(), groups_.end(), [&](const Group& one) { return one.name == name; });
  return place == groups_.end() ? nullptr : &*place;
}

std::size_t Groups::items() const {
  std::size_t count = 0;
  for (const Group& group : groups_) count += group.values.size();
  return count;
}

std::vector<double> Groups::values() const {
  std::vector<double> result;
  for (const Group& group : groups_) result.insert(result.end(), group.values.begin(), group.values.end());
  return result;
}

std::vector<double> Groups::means() const {
  std::vector<double> result;
  for (const Group& group : groups_) result.push_back(group.mean());
  return result;
}

Interval grouped_interval(const Groups& groups, const OfMeans& score, const IntervalOptions& options) {
  std::vector<double> scores;
  std::vector<double> means(groups.all().size());
  for (std::int64_t resample = 0; resample < options.resamples; ++resample) {
    Random random(static_cast<std::uint64_t>(options.seed), "evals/groups", {resample});
    for (std::size_t g = 0; g < means.size(); ++g) {
      const auto& values = groups.all()[g].values;
      double sum = 0;
      for (std::size_t i = 0; i < values.size(); ++i) sum += values[random.below(values.size())];
      means[g] = sum / static_cast<double>(values.size());
    }
    scores.push_back(score(means));
  }
  return percentiles(std::move(scores), options.level);
}

Json groups_json(const Groups& groups) {
  Json result = Json::object();
  for (const Group& group : groups.all()) {
    result.set(group.name, Json::object({{"score", 100 * group.mean()}, {"n", group.values.size()}}));
  }
  return result;
}

Chart groups_chart(const Groups& groups, std::string title) {
  Chart chart{.title = std::move(title)};
  for (const Group& group : groups.all()) {
    double sum = 0;
    for (const double value : group.values) sum += value;
    const auto count = static_cast<double>(group.values.size());
    chart.bars.push_back(
        {.label = group.name, .value = group.mean(), .interval = wilson_interval(sum, count), .has_interval = true});
  }
  return chart;
}

}  // namespace attune
