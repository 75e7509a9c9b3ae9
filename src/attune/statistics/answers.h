// How statistics answer: intervals, numbers in sentences, and the options that intervals share.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/config/fields.h"
#include "attune/reports/report.h"
#include "attune/stats/bootstrap.h"
#include "attune/stats/kappa.h"
#include "attune/stats/matches.h"

namespace attune {

constexpr auto enum_names(BootstrapKind) {
  using Name = std::pair<std::string_view, BootstrapKind>;
  return std::array{Name{"percentile", BootstrapKind::percentile}, Name{"bca", BootstrapKind::bca}};
}
constexpr auto enum_names(KappaWeights) {
  using Name = std::pair<std::string_view, KappaWeights>;
  return std::array{Name{"none", KappaWeights::none}, Name{"linear", KappaWeights::linear},
                    Name{"quadratic", KappaWeights::quadratic}};
}

struct IntervalOptions {
  int resamples = 500;
  double level = 0.95;
  BootstrapKind interval = BootstrapKind::percentile;
  int seed = 0;
  void describe(Fields& fields);

  BootstrapOptions bootstrap() const;
  // The interval of a statistic over exchangeable units; [NaN, NaN] where none is asked for.
  BootstrapInterval of(std::size_t units, const ResampledStatistic& statistic) const;
  // The same of the mean of values, and of a statistic of items' ratings, items drawn.
  BootstrapInterval of_mean(std::span<const double> values) const;
  BootstrapInterval of_items(std::span<const std::vector<double>> items,
                             const std::function<double(std::span<const std::vector<double>>)>& statistic) const;
};

double plain_mean(std::span<const double> values);  // 0 of none

Json interval_json(const Interval& interval);  // [low, high]; null without one
std::string fixed(double value, int digits = 3);
std::string interval_text(const Interval& interval,
                          int digits = 3);  // " (95 % ...)" without the level; empty without one

// {"name", "value", "interval", "standard_error"} as far as known.
Json estimate_json(std::string_view name, double value, const BootstrapInterval& interval);

// A number by name, best first: contestants and their ratings, annotators and their skill.
struct Rated {
  std::string name = {};
  double value = 0;
  Interval interval = {};
  bool has_interval = false;
};
// Sorts, and writes bars of the first twenty into the page, from the lowest shown value.
void show_rated(std::vector<Rated>& rows, const std::string& title, ReportPage& page);

// Matches drawn with replacement, as weights.
std::vector<Match> drawn_matches(std::span<const Match> matches, std::span<const std::size_t> units);

}  // namespace attune
