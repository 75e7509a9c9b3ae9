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

ReportPage correlation_page(const PairedColumns& columns, const IntervalOptions& interval, const char* name,
                            const std::string& title,
                            double (*statistic)(std::span<const double>, std::span<const double>)) {
  const double value = statistic(columns.x, columns.y);
  const auto bounds = interval.of(columns.x.size(), [&](std::span<const std::size_t> drawn) {
    std::vector<double> x, y;
    for (const std::size_t row : drawn) {
      x.push_back(columns.x[row]);
      y.push_back(columns.y[row]);
    }
    return statistic(x, y);
  });
  ReportPage page{.json = estimate_json(name, value, bounds), .title = title};
  page.json.set("n", columns.x.size());
  page.json.set("left_out", columns.left_out);
  page.lines.push_back(title + " " + fixed(value) + interval_text(bounds.interval) + ", " +
                       std::to_string(columns.x.size()) + " rows.");
  Series dots{.label = "rows", .mark = Series::Mark::dots};
  for (std::size_t i = 0; i < columns.x.size(); ++i) dots.points.emplace_back(columns.x[i], columns.y[i]);
  page.plots.push_back({.title = title, .series = {std::move(dots)}});
  return page;
}

}  // namespace attune
