#include "attune/data/report.h"

#include <utility>

#include "attune/base/errors.h"

namespace attune {

void ReadReport::add_bad_row(std::vector<RowProblem> row_problems) {
  ++bad_rows;
  if (!row_problems.empty()) ++reasons[row_problems.front().found];
  for (RowProblem& problem : row_problems) {
    if (problems.size() < kept) problems.push_back(std::move(problem));
  }
}

void ReadReport::enforce(OnBadRow policy) const {
  if (bad_rows == 0 || policy == OnBadRow::drop) return;
  const RowProblem& first = problems.front();
  std::string found = first.found;
  if (bad_rows > 1) {
    found += " (and " + std::to_string(bad_rows - 1) + (bad_rows == 2 ? " more bad row)" : " more bad rows)");
  }
  throw DataError({.file = first.file, .line = first.row, .field = first.field}, std::move(found), first.expected,
                  "see 'attune data validate', or set on_bad_row: drop");
}

}  // namespace attune
