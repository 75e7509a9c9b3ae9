// Two columns of numbers side by side, and what all correlations of such share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attune/config/fields.h"
#include "attune/statistics/answers.h"
#include "attune/statistics/statistic.h"

namespace attune {

struct PairedColumns {
  std::vector<double> x = {}, y = {};
  std::int64_t left_out = 0;  // rows where either is null
};
// Throws DataError for cells that are no numbers, fewer than two rows and a constant column.
PairedColumns paired_columns(const Evidence& evidence, const std::string& x, const std::string& y);

// A number of two columns with its bootstrap interval.
class ColumnStatistic : public Statistic {
 public:
  void describe(Fields& fields);
  ReportPage run(const Evidence& evidence) const override;

 protected:
  using Function = double (*)(std::span<const double>, std::span<const double>);
  ColumnStatistic(const char* name, const char* title, Function function)
      : name_(name), title_(title), function_(function) {}

 private:
  const char* name_;
  const char* title_;
  Function function_;
  std::string x_ = "x", y_ = "y";
  IntervalOptions interval_;
};

}  // namespace attune
