// A statistic: one number, or a model of many, of ratings, comparisons, forecasts or outcomes. One file of this folder
// each; the mathematics stands in stats/, which reads nothing.
#pragma once

#include <string_view>

#include "attune/config/part.h"
#include "attune/reports/report.h"
#include "attune/statistics/evidence.h"

namespace attune {

class Statistic {
 public:
  virtual ~Statistic() = default;
  // Throws DataError where the evidence does not fit: what is missing, outside of a scale, or cannot be estimated.
  virtual ReportPage run(const Evidence& evidence) const = 0;
  virtual bool needs_data() const { return true; }  // false: options can say all of it
  void describe(Fields&) {}
};

template <>
inline constexpr std::string_view part_kind<Statistic> = "statistic";

}  // namespace attune
