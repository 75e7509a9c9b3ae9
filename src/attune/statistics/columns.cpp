#include "attune/statistics/columns.h"

#include <algorithm>

namespace attune {

PairedColumns paired_columns(const Evidence& evidence, const std::string& x, const std::string& y) {
  PairedColumns columns;
  for (const EvidenceRow& row : evidence.rows()) {
    if (cell_of(row, x).is_null() || cell_of(row, y).is_null()) {
      ++columns.left_out;
      continue;
    }
    columns.x.push_back(number_in(row, x));
    columns.y.push_back(number_in(row, y));
  }
  if (columns.x.size() < 2) evidence.refuse("fewer than two rows with both numbers", "at least two");
  for (const auto& [values, name] : {std::pair(&columns.x, &x), std::pair(&columns.y, &y)}) {
    if (std::ranges::all_of(*values, [&](double value) { return value == values->front(); })) {
      evidence.refuse("a constant column " + *name, "values that differ: a correlation is not defined here");
    }
  }
  return columns;
}

void ColumnStatistic::describe(Fields& fields) {
  fields("x", x_, "one column");
  fields("y", y_, "the other one");
  interval_.describe(fields);
}

ReportPage ColumnStatistic::run(const Evidence& evidence) const {
  const PairedColumns columns = paired_columns(evidence, x_, y_);
  const double value = function_(columns.x, columns.y);
  const auto bounds = interval_.of(columns.x.size(), [&](std::span<const std::size_t> drawn) {
    std::vector<double> x, y;
    for (const std::size_t row : drawn) {
      x.push_back(columns.x[row]);
      y.push_back(columns.y[row]);
    }
    return function_(x, y);
  });
  ReportPage page{.json = estimate_json(name_, value, bounds), .title = title_};
  page.json.set("n", columns.x.size());
  page.json.set("left_out", columns.left_out);
  page.lines.push_back(page.title + " " + fixed(value) + interval_text(bounds.interval) + ", " +
                       std::to_string(columns.x.size()) + " rows.");
  Series dots{.label = "rows", .mark = Series::Mark::dots};
  for (std::size_t i = 0; i < columns.x.size(); ++i) dots.points.emplace_back(columns.x[i], columns.y[i]);
  page.plots.push_back({.title = title_, .x_label = x_, .series = {std::move(dots)}});
  return page;
}

}  // namespace attune
