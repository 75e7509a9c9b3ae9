#include "attune/stats/kappa.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

double distance(double a, double b, KappaWeights weights) {
  switch (weights) {
    case KappaWeights::none:
      return a == b ? 0 : 1;
    case KappaWeights::linear:
      return std::abs(a - b);
    case KappaWeights::quadratic:
      return (a - b) * (a - b);
  }
  return 0;
}

}  // namespace

double cohen_kappa(std::span<const double> first, std::span<const double> second, KappaWeights weights) {
  require(first.size() == second.size(), "two raters of different items");
  std::map<double, double> margin_first, margin_second;
  double observed = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    observed += distance(first[i], second[i], weights);
    margin_first[first[i]] += 1;
    margin_second[second[i]] += 1;
  }
  double expected = 0;
  for (const auto& [a, count_a] : margin_first) {
    for (const auto& [b, count_b] : margin_second) expected += count_a * count_b * distance(a, b, weights);
  }
  if (expected == 0) return none;
  return 1 - observed * static_cast<double>(first.size()) / expected;
}

std::vector<RaterPair> cohen_kappas(std::span<const Vote> votes, KappaWeights weights, std::int64_t least_items) {
  std::map<std::int32_t, std::map<std::int32_t, double>> units;
  for (const Vote& vote : votes) units[vote.unit][vote.rater] = vote.value;
  struct Columns {
    std::vector<double> first = {}, second = {};
  };
  std::map<std::pair<std::int32_t, std::int32_t>, Columns> pairs;
  for (const auto& [unit, raters] : units) {
    for (auto a = raters.begin(); a != raters.end(); ++a) {
      for (auto b = std::next(a); b != raters.end(); ++b) {
        Columns& columns = pairs[{a->first, b->first}];
        columns.first.push_back(a->second);
        columns.second.push_back(b->second);
      }
    }
  }
  std::vector<RaterPair> result;
  for (const auto& [raters, columns] : pairs) {
    const auto items = std::ssize(columns.first);
    if (items < least_items) continue;
    result.push_back({.first = raters.first,
                      .second = raters.second,
                      .items = items,
                      .kappa = cohen_kappa(columns.first, columns.second, weights)});
  }
  return result;
}

double fleiss_kappa(std::span<const std::vector<double>> units) {
  if (units.empty()) return none;
  const auto raters = static_cast<double>(units[0].size()), items = static_cast<double>(units.size());
  require(raters >= 2, "units with one rating");
  std::map<double, double> totals;
  double agreeing = 0;
  for (const auto& unit : units) {
    require(unit.size() == units[0].size(), "units with different numbers of ratings");
    std::map<double, double> counts;
    for (const double value : unit) counts[value] += 1;
    for (const auto& [value, count] : counts) {
      agreeing += count * (count - 1);
      totals[value] += count;
    }
  }
  if (totals.size() < 2) return none;
  double chance = 0;
  for (const auto& [value, count] : totals) chance += std::pow(count / (raters * items), 2);
  return (agreeing / (raters * (raters - 1) * items) - chance) / (1 - chance);
}

double gwet_ac(std::span<const std::vector<double>> units, std::span<const double> categories, KappaWeights weights) {
  require(categories.size() >= 2, "a scale of one value");
  const auto [low, high] = std::minmax_element(categories.begin(), categories.end());
  const double widest = distance(*low, *high, weights);
  const std::size_t kinds = categories.size();
  const auto weight = [&](std::size_t k, std::size_t l) {
    return 1 - distance(categories[k], categories[l], weights) / widest;
  };
  std::vector<double> shares(kinds, 0);
  double agreement = 0, rated = 0, paired = 0;
  for (const auto& unit : units) {
    if (unit.empty()) continue;
    std::vector<double> counts(kinds, 0);
    for (const double value : unit) {
      const auto place = std::find(categories.begin(), categories.end(), value);
      require(place != categories.end(), "a rating outside of the scale");
      counts[static_cast<std::size_t>(place - categories.begin())] += 1;
    }
    const auto ratings = static_cast<double>(unit.size());
    rated += 1;
    for (std::size_t k = 0; k < kinds; ++k) shares[k] += counts[k] / ratings;
    if (unit.size() < 2) continue;
    paired += 1;
    for (std::size_t k = 0; k < kinds; ++k) {
      double alike = 0;
      for (std::size_t l = 0; l < kinds; ++l) alike += weight(k, l) * counts[l];
      agreement += counts[k] * (alike - 1) / (ratings * (ratings - 1));
    }
  }
  if (paired == 0) return none;
  double total = 0, spread = 0;
  for (std::size_t k = 0; k < kinds; ++k) {
    for (std::size_t l = 0; l < kinds; ++l) total += weight(k, l);
    spread += shares[k] / rated * (1 - shares[k] / rated);
  }
  const auto q = static_cast<double>(kinds);
  const double chance = total / (q * (q - 1)) * spread;
  return (agreement / paired - chance) / (1 - chance);
}

}  // namespace attune
