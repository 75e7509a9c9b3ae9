#include "attune/statistics/answers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace attune {
namespace {
constexpr double none = std::numeric_limits<double>::quiet_NaN();
}

void IntervalOptions::describe(Fields& fields) {
  fields("resamples", resamples, "of the bootstrap; 0: no interval").at_least(0);
  fields("level", level, "of the interval").between(0, 1);
  fields("interval", interval, "percentiles, or bias-corrected and accelerated (slower: leaves out each unit once)");
  fields("seed", seed, "of what the bootstrap draws").at_least(0);
}

BootstrapOptions IntervalOptions::bootstrap() const {
  return {.resamples = resamples, .level = level, .seed = static_cast<std::uint64_t>(seed)};
}

BootstrapInterval IntervalOptions::of(std::size_t units, const ResampledStatistic& statistic) const {
  if (resamples == 0) return {.interval = {none, none}, .standard_error = none};
  return attune::bootstrap(units, statistic, bootstrap(), interval);
}

BootstrapInterval IntervalOptions::of_mean(std::span<const double> values) const {
  return of(values.size(), [&](std::span<const std::size_t> drawn) {
    double sum = 0;
    for (const std::size_t i : drawn) sum += values[i];
    return sum / static_cast<double>(drawn.size());
  });
}

BootstrapInterval IntervalOptions::of_items(
    std::span<const std::vector<double>> items,
    const std::function<double(std::span<const std::vector<double>>)>& statistic) const {
  return of(items.size(), [&](std::span<const std::size_t> drawn) {
    std::vector<std::vector<double>> sample;
    for (const std::size_t item : drawn) sample.push_back(items[item]);
    return statistic(sample);
  });
}

double plain_mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

Json interval_json(const Interval& interval) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return {};
  return Json::Array{interval.low, interval.high};
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return std::isnan(value) ? "undefined" : value > 0 ? "infinite" : "minus infinite";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string interval_text(const Interval& interval, int digits) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return "";
  return " (interval " + fixed(interval.low, digits) + " to " + fixed(interval.high, digits) + ")";
}

Json estimate_json(std::string_view name, double value, const BootstrapInterval& interval) {
  return Json::object({{"name", name},
                       {"value", value},
                       {"interval", interval_json(interval.interval)},
                       {"standard_error", interval.standard_error}});
}

void show_rated(std::vector<Rated>& rows, const std::string& title, ReportPage& page) {
  constexpr std::size_t most = 20;
  std::stable_sort(rows.begin(), rows.end(), [](const Rated& a, const Rated& b) { return a.value > b.value; });
  Chart chart{.title = title, .top = 0};
  const std::size_t shown = std::min(rows.size(), most);
  double low = 0;
  for (std::size_t i = 0; i < shown; ++i) {
    low = std::min({low, rows[i].value, rows[i].has_interval ? rows[i].interval.low : rows[i].value});
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const Rated& row = rows[i];
    chart.bars.push_back({.label = row.name,
                          .value = row.value - low,
                          .interval = {row.interval.low - low, row.interval.high - low},
                          .has_interval = row.has_interval});
    chart.top = std::max({chart.top, row.value - low, row.has_interval ? row.interval.high - low : 0});
    page.lines.push_back(row.name + "  " + fixed(row.value, std::abs(row.value) < 10 ? 3 : 1) +
                         (row.has_interval ? interval_text(row.interval, std::abs(row.value) < 10 ? 3 : 1) : ""));
  }
  if (low < 0) chart.title += " (bars begin at " + fixed(low, 1) + ")";
  if (rows.size() > shown) page.lines.push_back("... and " + std::to_string(rows.size() - shown) + " more");
  page.charts.push_back(std::move(chart));
}

std::vector<Match> drawn_matches(std::span<const Match> matches, std::span<const std::size_t> units) {
  std::vector<Match> drawn(matches.begin(), matches.end());
  for (Match& match : drawn) match.weight = 0;
  for (const std::size_t unit : units) drawn[unit].weight += matches[unit].weight;
  return drawn;
}

}  // namespace attune
