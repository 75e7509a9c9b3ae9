#include "attune/stats/intraclass.h"

#include <cmath>

#include "attune/base/errors.h"
#include "attune/stats/distributions.h"

namespace attune {
namespace {

// Mean squares of a two-way table without repetition.
struct MeanSquares {
  double items = 0, raters = 0;    // their numbers
  double between = 0, within = 0;  // between items; inside of items
  double judges = 0, rest = 0;     // of `within`: between raters, and what is left
};

MeanSquares mean_squares(std::span<const std::vector<double>> ratings) {
  require(ratings.size() >= 2 && ratings[0].size() >= 2, "intraclass correlations need two items and two raters");
  MeanSquares squares{.items = static_cast<double>(ratings.size()), .raters = static_cast<double>(ratings[0].size())};
  const double n = squares.items, k = squares.raters;
  std::vector<double> columns(ratings[0].size(), 0), rows;
  double mean = 0;
  for (const auto& row : ratings) {
    require(row.size() == columns.size(), "items with different numbers of ratings");
    double sum = 0;
    for (std::size_t j = 0; j < row.size(); ++j) {
      sum += row[j];
      columns[j] += row[j] / n;
    }
    rows.push_back(sum / k);
    mean += sum / (n * k);
  }
  double between = 0, judges = 0, within = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    between += k * (rows[i] - mean) * (rows[i] - mean);
    for (const double value : ratings[i]) within += (value - rows[i]) * (value - rows[i]);
  }
  for (const double column : columns) judges += n * (column - mean) * (column - mean);
  squares.between = between / (n - 1);
  squares.within = within / (n * (k - 1));
  squares.judges = judges / (k - 1);
  squares.rest = std::max(0.0, within - judges) / ((n - 1) * (k - 1));
  return squares;
}

// Cases 1 and 3: the F of the items against what `noise` has, for one rater and for the mean of all.
void against(const MeanSquares& squares, double noise, double second, double level, IntraclassCorrelation& one,
             IntraclassCorrelation& all) {
  const double k = squares.raters, first = squares.items - 1, f = squares.between / noise;
  const double low = f / f_quantile((1 + level) / 2, first, second),
               high = f * f_quantile((1 + level) / 2, second, first);
  one.value = (squares.between - noise) / (squares.between + (k - 1) * noise);
  one.interval = {(low - 1) / (low + k - 1), (high - 1) / (high + k - 1)};
  all.value = (squares.between - noise) / squares.between;
  all.interval = {1 - 1 / low, 1 - 1 / high};
  for (IntraclassCorrelation* result : {&one, &all}) {
    result->f = f;
    result->first_freedom = first;
    result->second_freedom = second;
    result->p = f_tail(f, first, second);
  }
}

// Case 2: the raters' own levels count as error; Satterthwaite's degrees of freedom.
void of_random_raters(const MeanSquares& squares, double level, IntraclassCorrelation& one,
                      IntraclassCorrelation& all) {
  const double n = squares.items, k = squares.raters, between = squares.between, judges = squares.judges,
               rest = squares.rest;
  one.value = (between - rest) / (between + (k - 1) * rest + k * (judges - rest) / n);
  all.value = (between - rest) / (between + (judges - rest) / n);
  const double share = one.value, ratio = judges / rest, other = n * (1 + (k - 1) * share) - k * share;
  const double freedom = (k - 1) * (n - 1) * std::pow(k * share * ratio + other, 2) /
                         ((n - 1) * k * k * share * share * ratio * ratio + other * other);
  const double below = f_quantile((1 + level) / 2, n - 1, freedom), above = f_quantile((1 + level) / 2, freedom, n - 1);
  const double error = k * judges + (k * n - k - n) * rest;
  one.interval = {n * (between - below * rest) / (below * error + n * between),
                  n * (above * between - rest) / (error + n * above * between)};
  const auto of_mean = [&](double single) { return single * k / (1 + single * (k - 1)); };  // Spearman and Brown
  all.interval = {of_mean(one.interval.low), of_mean(one.interval.high)};
  for (IntraclassCorrelation* result : {&one, &all}) {
    result->f = between / rest;
    result->first_freedom = n - 1;
    result->second_freedom = (n - 1) * (k - 1);
    result->p = f_tail(result->f, n - 1, (n - 1) * (k - 1));
  }
}

}  // namespace

std::array<IntraclassCorrelation, 6> intraclass_correlations(std::span<const std::vector<double>> ratings,
                                                             double level) {
  std::array<IntraclassCorrelation, 6> result = {{{.name = "ICC(1,1)"},
                                                  {.name = "ICC(2,1)"},
                                                  {.name = "ICC(3,1)"},
                                                  {.name = "ICC(1,k)"},
                                                  {.name = "ICC(2,k)"},
                                                  {.name = "ICC(3,k)"}}};
  const MeanSquares squares = mean_squares(ratings);
  const double n = squares.items, k = squares.raters;
  if (squares.between == 0 && squares.within == 0) {
    for (auto& one : result) one.value = one.p = one.f = one.interval.low = one.interval.high = NAN;
    return result;
  }
  if (squares.rest == 0 || squares.within == 0) {  // raters who differ by nothing but their level
    const double judges = squares.judges, between = squares.between;
    const double one_way = squares.within == 0 ? 1 : (between - squares.within) / (between + (k - 1) * squares.within);
    const double values[] = {one_way,
                             between / (between + k * judges / n),
                             1,
                             squares.within == 0 ? 1 : (between - squares.within) / between,
                             between / (between + judges / n),
                             1};
    for (std::size_t i = 0; i < 6; ++i) {
      result[i].value = values[i];
      result[i].interval = {NAN, NAN};
      result[i].f = INFINITY;
      result[i].p = 0;
    }
    if (squares.within > 0) against(squares, squares.within, n * (k - 1), level, result[0], result[3]);
    return result;
  }
  against(squares, squares.within, n * (k - 1), level, result[0], result[3]);
  of_random_raters(squares, level, result[1], result[4]);
  against(squares, squares.rest, (n - 1) * (k - 1), level, result[2], result[5]);
  return result;
}

}  // namespace attune
