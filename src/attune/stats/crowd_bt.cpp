#include "attune/stats/crowd_bt.h"

#include <cmath>

#include "attune/base/errors.h"
#include "attune/stats/minimise.h"

namespace attune {
namespace {

// Parameters: strengths, then the log-odds of reliability.
class Likelihood {
 public:
  Likelihood(std::span<const RatedMatch> matches, std::int32_t contestants, std::int32_t raters,
             const CrowdBtOptions& options)
      : matches_(matches),
        contestants_(static_cast<std::size_t>(contestants)),
        options_(options),
        size_(contestants_ + static_cast<std::size_t>(raters)) {
    for (const RatedMatch& one : matches) require(one.rater >= 0 && one.rater < raters, "an unknown rater");
  }

  double operator()(std::span<const double> at, std::span<double> gradient) const {
    double sum = 0;
    for (const RatedMatch& one : matches_) {
      const auto a = static_cast<std::size_t>(one.match.a), b = static_cast<std::size_t>(one.match.b);
      const std::size_t rater = contestants_ + static_cast<std::size_t>(one.rater);
      const double d = at[a] - at[b], reliable = sigmoid_of(at[rater]), p = sigmoid_of(d);
      const double says_a = reliable * p + (1 - reliable) * (1 - p), says_b = 1 - says_a;
      const double score = one.match.score, weight = one.match.weight;
      sum -= weight * (score * std::log(says_a) + (1 - score) * std::log(says_b));
      const double slope = -weight * (score / says_a - (1 - score) / says_b);
      const double by_d = slope * (2 * reliable - 1) * p * (1 - p);
      gradient[a] += by_d;
      gradient[b] -= by_d;
      gradient[rater] += slope * (2 * p - 1) * reliable * (1 - reliable);
    }
    return sum + priors(at, gradient);
  }

  std::vector<double> start() const {
    std::vector<double> at(size_, 0);
    for (std::size_t i = contestants_; i < size_; ++i) at[i] = log_odds_of(options_.start_reliability);
    return at;
  }

  double log_likelihood(std::span<const double> at) const {
    std::vector<double> ignored(size_, 0), zero(size_, 0);
    return -(operator()(at, ignored) - priors(at, zero));
  }

 private:
  double priors(std::span<const double> at, std::span<double> gradient) const {
    double sum = 0;
    const auto add = [&](std::size_t i, double weight, double target) {
      sum += weight * (target * softplus_of(-at[i]) + (1 - target) * softplus_of(at[i]));
      gradient[i] += weight * (sigmoid_of(at[i]) - target);
    };
    for (std::size_t i = 0; i < size_; ++i) {
      i < contestants_ ? add(i, options_.prior, 0.5) : add(i, options_.rater_prior, options_.start_reliability);
    }
    return sum;
  }

  std::span<const RatedMatch> matches_;
  std::size_t contestants_;
  const CrowdBtOptions& options_;
  std::size_t size_;
};

}  // namespace

CrowdBt fit_crowd_bt(std::span<const RatedMatch> matches, std::int32_t contestants, std::int32_t raters,
                     const CrowdBtOptions& options) {
  require(options.start_reliability > 0.5 && options.start_reliability < 1, "a start that trusts the raters");
  const Likelihood likelihood(matches, contestants, raters, options);
  const double total = 1 + static_cast<double>(matches.size());
  const Minimum minimum =
      minimise(std::cref(likelihood), likelihood.start(), {.most_iterations = 2'000, .tolerance = 1e-9 * total});
  CrowdBt model{.log_likelihood = likelihood.log_likelihood(minimum.at),
                .steepness = minimum.steepness,
                .converged = minimum.converged};
  const auto end = minimum.at.begin() + contestants;
  model.strengths.assign(minimum.at.begin(), end);
  for (auto at = end; at != minimum.at.end(); ++at) model.reliability.push_back(sigmoid_of(*at));
  return model;
}

}  // namespace attune
