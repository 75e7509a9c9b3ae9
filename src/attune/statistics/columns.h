// Two columns of numbers side by side, of a table or of two annotators.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "attune/config/fields.h"
#include "attune/statistics/answers.h"
#include "attune/statistics/evidence.h"

namespace attune {

struct PairedColumns {
  std::vector<double> x = {}, y = {};
  std::int64_t left_out = 0;  // rows where either is null
};
// Throws DataError for cells that are no numbers, fewer than two rows and a constant column.
PairedColumns paired_columns(const Evidence& evidence, const std::string& x, const std::string& y);

// A correlation with its bootstrap interval as a page.
ReportPage correlation_page(const PairedColumns& columns, const IntervalOptions& interval, const char* name,
                            const std::string& title,
                            double (*statistic)(std::span<const double>, std::span<const double>));

}  // namespace attune
