// Values of items by the group they belong to (subset, domain, category), and intervals of what groups make together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "attune/statistics/answers.h"

namespace attune {

struct Group {
  std::string name = {};
  std::vector<double> values = {};
  double mean() const { return plain_mean(values); }
};

// In the order of their first items.
class Groups {
 public:
  void add(const std::string& group, double value);
  const std::vector<Group>& all() const { return groups_; }
  const Group* find(const std::string& name) const;  // nullptr: no item of it
  std::size_t items() const;
  std::vector<double> values() const;  // of all items
  std::vector<double> means() const;   // group by group

 private:
  std::vector<Group> groups_;
};

// The interval of a function of the groups' means, each group's items drawn among themselves, so that no group is ever
// empty. [NaN, NaN] without resamples.
using OfMeans = std::function<double(const std::vector<double>& means)>;
Interval grouped_interval(const Groups& groups, const OfMeans& score, const IntervalOptions& options);

// {group: {"score": 100 mean, "n"}}, and a bar each.
Json groups_json(const Groups& groups);
Chart groups_chart(const Groups& groups, std::string title);

}  // namespace attune
