#include "attune/stats/win_rate.h"

#include <cmath>
#include <limits>

#include "attune/base/errors.h"
#include "attune/stats/logistic.h"
#include "attune/stats/minimise.h"

namespace attune {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

struct Moments {
  double mean = none, deviation = none;  // n - 1
};

Moments moments_of(std::span<const double> values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  Moments moments{.mean = 0};
  for (const double value : values) moments.mean += value / n;
  if (values.size() < 2) return moments;
  double squares = 0;
  for (const double value : values) squares += (value - moments.mean) * (value - moments.mean);
  moments.deviation = std::sqrt(squares / (n - 1));
  return moments;
}

}  // namespace

double won_of_preference(double preference) { return preference == 0 ? 0.5 : preference - 1; }

WinRate win_rate(std::span<const double> won) {
  const Moments moments = moments_of(won);
  WinRate rate{.mean = moments.mean, .standard_error = none, .discrete = none, .n = won.size()};
  if (won.empty()) return rate;
  const auto n = static_cast<double>(won.size());
  for (const double one : won) ++(one > 0.5 ? rate.wins : one < 0.5 ? rate.losses : rate.ties);
  rate.standard_error = moments.deviation / std::sqrt(n);
  rate.discrete = (static_cast<double>(rate.wins) + static_cast<double>(rate.ties) / 2) / n;
  return rate;
}

std::vector<double> length_terms(std::span<const double> differences) {
  require(differences.size() >= 2, "a spread of lengths needs two");
  const double deviation = moments_of(differences).deviation;
  std::vector<double> terms;
  for (const double difference : differences) terms.push_back(deviation > 0 ? std::tanh(difference / deviation) : 0);
  return terms;
}

LengthControlled length_controlled(std::span<const LengthRow> rows, const LengthControlOptions& options) {
  SparseRows table;
  std::vector<double> targets, weights, difficulties;
  for (const LengthRow& row : rows) {
    const SparseRows::Entry entries[] = {{0, row.length}, {1, row.difficulty}, {2, row.model}};
    table.add(entries);
    targets.push_back(row.won);
    weights.push_back(row.weight);
    if (row.model != 0) difficulties.push_back(row.difficulty);
  }
  const LogisticModel model =
      fit_soft_logistic(table, targets, weights,
                        {.l2 = options.l2 * static_cast<double>(rows.size()), .intercept = false, .tolerance = 1e-12});
  require(model.weights.size() == 3, "rows to fit to");
  LengthControlled result = length_controlled_at(difficulties, {model.weights[0], model.weights[1], model.weights[2]});
  result.converged = model.converged;
  return result;
}

LengthControlled length_controlled_at(std::span<const double> difficulties, const std::array<double, 3>& slopes) {
  std::vector<double> terms;
  for (const double difficulty : difficulties) terms.push_back(sigmoid_of(slopes[1] * difficulty + slopes[2]));
  const Moments moments = moments_of(terms);
  return {.slopes = slopes,
          .mean = moments.mean,
          .standard_error = moments.deviation / std::sqrt(static_cast<double>(terms.size())),
          .n = terms.size(),
          .converged = true};
}

double length_controlled_between(const std::array<double, 3>& first, const std::array<double, 3>& second,
                                 std::span<const double> difficulties) {
  double sum = 0;
  for (const double difficulty : difficulties) {
    sum += sigmoid_of((first[2] - second[2]) + (first[1] - second[1]) * difficulty);
  }
  return sum / static_cast<double>(difficulties.size());
}

}  // namespace attune
