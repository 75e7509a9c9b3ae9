#include "attune/stats/online_ratings.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/stats/distributions.h"

namespace attune {
namespace {

double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }

// How far the mean moves and how much of the variance goes, in units of the match's spread.
struct Truncation {
  double shift = 0, shrink = 0;
};

// The performance difference, of mean t, was above `margin`.
Truncation won(double t, double margin) {
  const double x = t - margin, chance = normal_cdf(x);
  const double shift = chance > 1e-300 ? density(x) / chance : -x;
  return {shift, std::clamp(shift * (shift + x), 0.0, 1.0)};
}

// It was within the margin.
Truncation tied(double t, double margin) {
  const double high = margin - t, low = -margin - t, chance = normal_cdf(high) - normal_cdf(low);
  if (chance < 1e-300) return {t < 0 ? -margin - t : margin - t, 1};
  const double shift = (density(low) - density(high)) / chance;
  return {shift, std::clamp(shift * shift + (high * density(high) - low * density(low)) / chance, 0.0, 1.0)};
}

}  // namespace

std::vector<double> elo_ratings(std::span<const Match> matches, std::int32_t contestants, const EloOptions& options) {
  std::vector<double> ratings(static_cast<std::size_t>(contestants), options.start);
  for (const Match& match : matches) {
    double& a = ratings[static_cast<std::size_t>(match.a)];
    double& b = ratings[static_cast<std::size_t>(match.b)];
    const double expected = 1 / (1 + std::pow(10, (b - a) / options.scale));
    const double change = match.weight * options.k * (match.score - expected);
    a += change;
    b -= change;
  }
  return ratings;
}

std::vector<Skill> online_skills(std::span<const Match> matches, std::int32_t contestants,
                                 const SkillOptions& options) {
  std::vector<Skill> skills(static_cast<std::size_t>(contestants), Skill{options.mean, options.deviation});
  const double margin = normal_quantile((options.tie_chance + 1) / 2) * std::sqrt(2.0) * options.performance;
  for (const Match& match : matches) {
    require(match.score == 0 || match.score == 0.5 || match.score == 1, "a match that is won, lost or tied");
    if (match.weight <= 0) continue;
    Skill& better = skills[static_cast<std::size_t>(match.score >= 0.5 ? match.a : match.b)];
    Skill& worse = skills[static_cast<std::size_t>(match.score >= 0.5 ? match.b : match.a)];
    const auto variance = [&](const Skill& skill) {
      return skill.deviation * skill.deviation + options.drift * options.drift;
    };
    const double first = variance(better), second = variance(worse);
    const double spread = std::sqrt(first + second + 2 * options.performance * options.performance);
    const double t = (better.mean - worse.mean) / spread;
    const Truncation cut = match.score == 0.5 ? tied(t, margin / spread) : won(t, margin / spread);
    const auto update = [&](Skill& skill, double own, double sign) {
      skill.mean += sign * own / spread * cut.shift;
      skill.deviation = std::sqrt(own * (1 - own / (spread * spread) * cut.shrink));
    };
    update(better, first, 1);
    update(worse, second, -1);
  }
  return skills;
}

}  // namespace attune
