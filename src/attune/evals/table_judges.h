// Rows of judges' verdicts in tables of their authors, told apart by who judged what.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attune/statistics/evidence.h"

namespace attune {

// The same rows by the value of a column, in the order of their first appearance; all under "" without the column.
std::vector<std::pair<std::string, std::vector<const EvidenceRow*>>> rows_by(const std::vector<EvidenceRow>& rows,
                                                                             const std::string& column);

}  // namespace attune
