// Bradley-Terry ratings of battles as a page, with and without style.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/config/fields.h"
#include "attune/statistics/answers.h"
#include "attune/statistics/battles.h"
#include "attune/stats/bradley_terry.h"

namespace attune {

constexpr auto enum_names(TieModel) {
  using Name = std::pair<std::string_view, TieModel>;
  return std::array{Name{"half", TieModel::half}, Name{"davidson", TieModel::davidson},
                    Name{"rao-kupper", TieModel::rao_kupper}};
}

struct RatingOptions {
  BattlesOptions battles = {};
  TieModel ties = TieModel::half;
  double prior = 0;
  double base = 1000;
  std::string anchor = {};
  double anchor_rating = 1000;
  IntervalOptions interval = {.resamples = 100};
  void describe(Fields& fields);
};

// Fits, draws the intervals and answers. `name` is the statistic's. Throws what read_battles and require_comparable
// throw, and DataError for an anchor that nobody is called.
ReportPage rating_page(const Evidence& evidence, const RatingOptions& options, const char* name);

// How much a rating must be moved so that the anchor has its own; 0 without an anchor.
double anchor_shift(const Evidence& evidence, const RatingOptions& options, const std::vector<std::string>& contestants,
                    const std::vector<double>& ratings);

}  // namespace attune
