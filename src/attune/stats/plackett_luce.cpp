#include "attune/stats/plackett_luce.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/base/errors.h"
#include "attune/stats/minimise.h"

namespace attune {
namespace {

// Minus the log-likelihood of one ranking; adds to the gradient.
double loss_of(const RankedTiers& ranking, std::span<const double> at, std::span<double> gradient) {
  std::vector<std::size_t> left;
  std::vector<double> strengths;
  double sum = 0;
  for (std::size_t tier = ranking.size(); tier-- > 0;) {  // from the last place up, so that who is left only grows
    for (const std::int32_t contestant : ranking[tier]) {
      left.push_back(static_cast<std::size_t>(contestant));
      strengths.push_back(at[left.back()]);
    }
    if (left.size() < 2) continue;
    const double total = log_sum_exp_of(strengths), draws = static_cast<double>(ranking[tier].size());
    sum += draws * total;
    for (std::size_t i = 0; i < left.size(); ++i) gradient[left[i]] += draws * std::exp(strengths[i] - total);
    for (const std::int32_t contestant : ranking[tier]) {
      sum -= at[static_cast<std::size_t>(contestant)];
      gradient[static_cast<std::size_t>(contestant)] -= 1;
    }
  }
  return sum;
}

}  // namespace

PlackettLuce fit_plackett_luce(std::span<const RankedTiers> rankings, std::int32_t contestants, double prior) {
  double draws = 1;
  for (const RankedTiers& ranking : rankings) {
    for (const auto& tier : ranking) {
      draws += static_cast<double>(tier.size());
      for (const auto one : tier) require(one >= 0 && one < contestants, "an unknown contestant");
    }
  }
  const auto objective = [&](std::span<const double> at, std::span<double> gradient) {
    double sum = 0;
    for (const RankedTiers& ranking : rankings) sum += loss_of(ranking, at, gradient);
    for (std::size_t i = 0; i < at.size() && prior > 0; ++i) {
      sum += prior / 2 * (softplus_of(at[i]) + softplus_of(-at[i]));
      gradient[i] += prior * (sigmoid_of(at[i]) - 0.5);
    }
    return sum;
  };
  Minimum minimum = minimise(objective, std::vector<double>(static_cast<std::size_t>(contestants), 0),
                             {.most_iterations = 2'000, .tolerance = 1e-12 * draws});
  PlackettLuce model{.strengths = std::move(minimum.at),
                     .steepness = minimum.steepness,
                     .converged = minimum.converged || minimum.steepness < 1e-9 * draws};
  std::vector<double> ignored(model.strengths.size(), 0);
  for (const RankedTiers& ranking : rankings) model.log_likelihood -= loss_of(ranking, model.strengths, ignored);
  if (prior == 0) {
    const double mean = std::accumulate(model.strengths.begin(), model.strengths.end(), 0.0) / std::max(1, contestants);
    for (double& strength : model.strengths) strength -= mean;
  }
  return model;
}

std::vector<Match> matches_of(std::span<const RankedTiers> rankings) {
  std::vector<Match> matches;
  for (const RankedTiers& ranking : rankings) {
    const std::vector<std::int32_t>* above = nullptr;
    for (const auto& tier : ranking) {
      if (tier.empty()) continue;
      for (std::size_t i = 1; i < tier.size(); ++i) matches.push_back({.a = tier[0], .b = tier[i], .score = 0.5});
      if (above != nullptr) matches.push_back({.a = above->front(), .b = tier[0], .score = 1});
      above = &tier;
    }
  }
  return matches;
}

}  // namespace attune
