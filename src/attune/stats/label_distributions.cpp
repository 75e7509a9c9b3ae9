#include "attune/stats/label_distributions.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "attune/base/errors.h"

namespace attune {
namespace {
constexpr double none = std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> shares_of(std::span<const double> counts) {
  double total = 0;
  for (const double count : counts) total += count;
  std::vector<double> shares;
  for (const double count : counts) {
    if (total > 0) shares.push_back(count / total);
  }
  return shares;
}

double cross_entropy_of(std::span<const double> people, std::span<const double> model) {
  require(people.size() == model.size(), "distributions over the same classes");
  double sum = 0;
  for (std::size_t k = 0; k < people.size(); ++k) {
    if (people[k] > 0) sum -= people[k] * std::log(model[k]);
  }
  return sum;
}

double kl_divergence(std::span<const double> people, std::span<const double> model) {
  require(people.size() == model.size(), "distributions over the same classes");
  double sum = 0;
  for (std::size_t k = 0; k < people.size(); ++k) {
    if (people[k] > 0) sum += people[k] * std::log(people[k] / model[k]);
  }
  return std::max(0.0, sum);
}

double jensen_shannon_bits(std::span<const double> first, std::span<const double> second) {
  require(first.size() == second.size(), "distributions over the same classes");
  std::vector<double> middle;
  for (std::size_t k = 0; k < first.size(); ++k) middle.push_back((first[k] + second[k]) / 2);
  return std::min(1.0, (kl_divergence(first, middle) + kl_divergence(second, middle)) / (2 * std::log(2.0)));
}

double total_variation(std::span<const double> first, std::span<const double> second) {
  require(first.size() == second.size(), "distributions over the same classes");
  double sum = 0;
  for (std::size_t k = 0; k < first.size(); ++k) sum += std::abs(first[k] - second[k]) / 2;
  return sum;
}

double cross_reliability(std::span<const std::vector<double>> first, std::span<const std::vector<double>> second) {
  require(first.size() == second.size(), "two groups' ratings of the same units");
  double observed = 0, units = 0;
  std::map<double, double> all_first, all_second;  // shares of values, each unit alike
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i].empty() || second[i].empty()) continue;
    const auto share_first = 1 / static_cast<double>(first[i].size());
    const auto share_second = 1 / static_cast<double>(second[i].size());
    units += 1;
    for (const double value : first[i]) all_first[value] += share_first;
    for (const double value : second[i]) all_second[value] += share_second;
    for (const double a : first[i]) {
      for (const double b : second[i]) observed += a == b ? 0 : share_first * share_second;
    }
  }
  if (units == 0) return none;
  double agreeing = 0;
  for (const auto& [value, share] : all_first) {
    const auto other = all_second.find(value);
    if (other != all_second.end()) agreeing += share * other->second;
  }
  const double expected = 1 - agreeing / (units * units);
  return expected > 0 ? 1 - observed / units / expected : none;
}

GroupAgreement group_agreement(std::span<const Vote> votes, const std::vector<bool>& member) {
  std::map<std::int32_t, std::size_t> places;
  std::vector<std::vector<double>> inside, outside;
  std::set<std::int32_t> raters;
  GroupAgreement result;
  for (const Vote& vote : votes) {
    const auto [place, fresh] = places.try_emplace(vote.unit, inside.size());
    if (fresh) {
      inside.emplace_back();
      outside.emplace_back();
    }
    const bool in = member.at(static_cast<std::size_t>(vote.rater));
    (in ? inside : outside)[place->second].push_back(vote.value);
    if (!in) continue;
    raters.insert(vote.rater);
    ++result.ratings;
  }
  result.raters = std::ssize(raters);
  result.inside = krippendorff_alpha(inside, Metric::nominal);
  result.across = cross_reliability(inside, outside);
  result.index = result.across != 0 ? result.inside / result.across : none;
  return result;
}

}  // namespace attune
