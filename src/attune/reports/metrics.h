// What a run wrote into metrics.jsonl, as rows and as curves.
#pragma once

#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/reports/plot.h"

namespace attune {

// The rows of a JSON Lines file that a program appends to: a last line that a stop cut short is left out. Empty when
// there is no such file.
std::vector<Json> read_appended_rows(const Path& path);

// The finite values of one metric against "step".
Series curve_of(const std::vector<Json>& rows, const std::string& metric, std::string label);

// Which metrics share a chart, in the order of a page: a metric and its value on held-out data, both sides of pairs.
const std::vector<std::vector<std::string>>& chart_groups();

}  // namespace attune
