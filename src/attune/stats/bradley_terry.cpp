#include "attune/stats/bradley_terry.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/base/errors.h"
#include "attune/stats/minimise.h"

namespace attune {
namespace {

// Minus the log-likelihood of one match and its partials by d and by the tie's parameter h.
struct MatchLoss {
  double value = 0, by_d = 0, by_tie = 0;
};

MatchLoss half_loss(double d, double score) {
  return {score * softplus_of(-d) + (1 - score) * softplus_of(d), sigmoid_of(d) - score, 0};
}

// Odds e^{d/2} : nu : e^{-d/2}, nu = e^h.
MatchLoss davidson_loss(double d, double score, double h) {
  const double logits[] = {d / 2, h, -d / 2};
  const double total = log_sum_exp_of(logits);
  const double win = std::exp(logits[0] - total), tie = std::exp(logits[1] - total), loss = std::exp(logits[2] - total);
  const bool tied = score == 0.5;
  const double said = tied ? h : score == 1 ? d / 2 : -d / 2;
  const double slope = tied ? 0 : score == 1 ? 0.5 : -0.5;
  return {total - said, (win - loss) / 2 - slope, tie - (tied ? 1 : 0)};
}

// P(win) = s(d - eta), P(loss) = s(-d - eta), P(tie) = (e^{2 eta} - 1) P(win) P(loss), eta = e^h.
MatchLoss rao_kupper_loss(double d, double score, double h) {
  const double eta = std::exp(h);
  const double not_win = sigmoid_of(eta - d), not_loss = sigmoid_of(eta + d);
  if (score == 1) return {softplus_of(eta - d), -not_win, not_win * eta};
  if (score == 0) return {softplus_of(eta + d), not_loss, not_loss * eta};
  const double log_factor = 2 * eta + std::log(-std::expm1(-2 * eta));
  const double by_eta = -2 / -std::expm1(-2 * eta) + not_win + not_loss;
  return {softplus_of(eta - d) + softplus_of(eta + d) - log_factor, not_loss - not_win, by_eta * eta};
}

class Likelihood {
 public:
  Likelihood(std::span<const Match> matches, std::int32_t contestants, const BradleyTerryOptions& options,
             std::span<const double> features)
      : matches_(matches), contestants_(static_cast<std::size_t>(contestants)), options_(options), features_(features) {
    require(features.size() == matches.size() * options.features, "features of every match");
    const auto tied = [](const Match& match) { return match.weight > 0 && match.score == 0.5; };
    const bool shares = std::all_of(matches.begin(), matches.end(), [](const Match& match) {
      return match.score == 0 || match.score == 0.5 || match.score == 1;
    });
    require(options.ties == TieModel::half || shares, "a match that is won, lost or tied");
    const bool any_tie = std::any_of(matches.begin(), matches.end(), tied);
    ties_ = any_tie ? options.ties : TieModel::half;  // without a tie its parameter has no finite optimum but 0
  }

  std::size_t size() const { return contestants_ + options_.features + (has_tie() ? 1 : 0); }
  bool has_tie() const { return ties_ != TieModel::half; }

  double distance(std::size_t match, std::span<const double> at) const {
    const Match& one = matches_[match];
    double d = at[static_cast<std::size_t>(one.a)] - at[static_cast<std::size_t>(one.b)];
    for (std::size_t f = 0; f < options_.features; ++f) {
      d += at[contestants_ + f] * features_[match * options_.features + f];
    }
    return d;
  }

  MatchLoss loss(std::size_t match, std::span<const double> at) const {
    const double d = distance(match, at), score = matches_[match].score;
    if (ties_ == TieModel::davidson) return davidson_loss(d, score, at.back());
    if (ties_ == TieModel::rao_kupper) return rao_kupper_loss(d, score, at.back());
    return half_loss(d, score);
  }

  double operator()(std::span<const double> at, std::span<double> gradient) const {
    double sum = 0;
    for (std::size_t i = 0; i < matches_.size(); ++i) {
      const Match& match = matches_[i];
      const MatchLoss one = loss(i, at);
      sum += match.weight * one.value;
      gradient[static_cast<std::size_t>(match.a)] += match.weight * one.by_d;
      gradient[static_cast<std::size_t>(match.b)] -= match.weight * one.by_d;
      for (std::size_t f = 0; f < options_.features; ++f) {
        gradient[contestants_ + f] += match.weight * one.by_d * features_[i * options_.features + f];
      }
      if (has_tie()) gradient.back() += match.weight * one.by_tie;
    }
    for (std::size_t i = 0; i < contestants_ && options_.prior > 0; ++i) {
      const MatchLoss one = half_loss(at[i], 0.5);
      sum += options_.prior * one.value;
      gradient[i] += options_.prior * one.by_d;
    }
    for (std::size_t f = contestants_; f < contestants_ + options_.features; ++f) {
      sum += options_.feature_l2 / 2 * at[f] * at[f];
      gradient[f] += options_.feature_l2 * at[f];
    }
    return sum;
  }

  double log_likelihood(std::span<const double> at) const {
    double sum = 0;
    for (std::size_t i = 0; i < matches_.size(); ++i) sum -= matches_[i].weight * loss(i, at).value;
    return sum;
  }

  double tie(std::span<const double> at) const { return has_tie() ? std::exp(at.back()) : 0; }

 private:
  std::span<const Match> matches_;
  std::size_t contestants_;
  const BradleyTerryOptions& options_;
  std::span<const double> features_;
  TieModel ties_ = TieModel::half;
};

}  // namespace

BradleyTerry fit_bradley_terry(std::span<const Match> matches, std::int32_t contestants,
                               const BradleyTerryOptions& options, std::span<const double> features) {
  const Likelihood likelihood(matches, contestants, options, features);
  std::vector<double> start = options.start;
  if (start.empty()) start.assign(likelihood.size(), 0);
  require(start.size() >= likelihood.size(), "a start of another size");
  start.resize(likelihood.size());
  double total = 1;
  for (const Match& match : matches) total += match.weight;
  Minimum minimum =
      minimise(std::cref(likelihood), std::move(start), {.most_iterations = 2'000, .tolerance = 1e-12 * total});
  BradleyTerry model{.converged = minimum.converged || minimum.steepness < 1e-9 * total};
  const auto end = minimum.at.begin() + contestants;
  if (options.prior == 0) {
    const double mean = std::accumulate(minimum.at.begin(), end, 0.0) / std::max(1, contestants);
    for (auto at = minimum.at.begin(); at != end; ++at) *at -= mean;
  }
  model.steepness = minimum.steepness;
  model.log_likelihood = likelihood.log_likelihood(minimum.at);
  model.tie = likelihood.tie(minimum.at);
  model.strengths.assign(minimum.at.begin(), end);
  model.feature_weights.assign(end, end + static_cast<std::ptrdiff_t>(options.features));
  model.parameters = std::move(minimum.at);
  return model;
}

double elo_points(double strength, double base) { return base + elo_scale * strength; }

MatchChances chances_of(double d, TieModel ties, double tie) {
  if (ties == TieModel::half || tie <= 0) return {.win = sigmoid_of(d), .tie = 0, .loss = sigmoid_of(-d)};
  if (ties == TieModel::rao_kupper) {
    const double win = sigmoid_of(d - tie), loss = sigmoid_of(-d - tie);
    return {.win = win, .tie = 1 - win - loss, .loss = loss};
  }
  const double total = std::exp(d / 2) + tie + std::exp(-d / 2);
  return {.win = std::exp(d / 2) / total, .tie = tie / total, .loss = std::exp(-d / 2) / total};
}

}  // namespace attune
