#include "attune/stats/dawid_skene.h"

#include <cmath>
#include <limits>

#include "attune/stats/minimise.h"

namespace attune {
namespace {

// Numbers that sum to 1, of counts plus smoothing; equal ones where nothing was counted.
void normalise(std::span<double> counts, double smoothing) {
  double sum = 0;
  for (double& count : counts) sum += count += smoothing;
  for (double& count : counts) count = sum > 0 ? count / sum : 1 / static_cast<double>(counts.size());
}

class Fit {
 public:
  Fit(const LabelVotes& votes, const DawidSkeneOptions& options)
      : votes_(votes), options_(options), labels_(static_cast<std::size_t>(votes.labels)) {
    model_.beliefs = vote_shares(votes);
  }

  DawidSkene run() && {
    double before = -INFINITY;
    for (int i = 0; i < options_.steps.most_iterations && !model_.converged; ++i) {
      maximise();
      const double now = expect();
      model_.likelihoods.push_back(now);
      const double rise = (now - before) / static_cast<double>(std::max<std::size_t>(1, votes_.votes.size()));
      model_.converged = std::isfinite(before) && rise <= options_.steps.tolerance;
      before = now;
    }
    return std::move(model_);
  }

 private:
  std::span<double> row(const LabelVote& vote, std::size_t truth) {
    const auto rater = static_cast<std::size_t>(vote.rater);
    return std::span(model_.confusion).subspan((rater * labels_ + truth) * labels_, labels_);
  }

  void maximise() {
    model_.prior.assign(labels_, 0);
    model_.confusion.assign(static_cast<std::size_t>(votes_.raters) * labels_ * labels_, 0);
    for (std::size_t i = 0; i < model_.beliefs.size(); ++i) model_.prior[i % labels_] += model_.beliefs[i];
    for (const LabelVote& vote : votes_.votes) {
      const std::size_t item = static_cast<std::size_t>(vote.item) * labels_;
      for (std::size_t k = 0; k < labels_; ++k) {
        row(vote, k)[static_cast<std::size_t>(vote.label)] += model_.beliefs[item + k];
      }
    }
    normalise(model_.prior, options_.smoothing);
    for (std::size_t begin = 0; begin < model_.confusion.size(); begin += labels_) {
      normalise(std::span(model_.confusion).subspan(begin, labels_), options_.smoothing);
    }
  }

  // New beliefs; the objective at the parameters that they come from.
  double expect() {
    std::vector<double> logs(model_.beliefs.size());
    for (std::size_t i = 0; i < logs.size(); ++i) logs[i] = std::log(model_.prior[i % labels_]);
    for (const LabelVote& vote : votes_.votes) {
      const std::size_t item = static_cast<std::size_t>(vote.item) * labels_;
      for (std::size_t k = 0; k < labels_; ++k) {
        logs[item + k] += std::log(row(vote, k)[static_cast<std::size_t>(vote.label)]);
      }
    }
    double objective = 0;
    for (std::size_t begin = 0; begin < logs.size(); begin += labels_) {
      const double total = log_sum_exp_of(std::span(logs).subspan(begin, labels_));
      objective += total;
      for (std::size_t k = 0; k < labels_; ++k) model_.beliefs[begin + k] = std::exp(logs[begin + k] - total);
    }
    if (options_.smoothing > 0) {
      for (const double p : model_.prior) objective += options_.smoothing * std::log(p);
      for (const double p : model_.confusion) objective += options_.smoothing * std::log(p);
    }
    return objective;
  }

  const LabelVotes& votes_;
  const DawidSkeneOptions& options_;
  std::size_t labels_;
  DawidSkene model_;
};

}  // namespace

DawidSkene fit_dawid_skene(const LabelVotes& votes, const DawidSkeneOptions& options) {
  return Fit(votes, options).run();
}

std::vector<double> rater_accuracies(const DawidSkene& model) {
  const std::size_t labels = model.prior.size();
  std::vector<double> accuracies;
  for (std::size_t table = 0; table < model.confusion.size(); table += labels * labels) {
    double right = 0;
    for (std::size_t k = 0; k < labels; ++k) right += model.prior[k] * model.confusion[table + k * labels + k];
    accuracies.push_back(right);
  }
  return accuracies;
}

}  // namespace attune
