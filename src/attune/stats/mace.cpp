#include "attune/stats/mace.h"

#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/stats/distributions.h"
#include "attune/stats/minimise.h"

namespace attune {
namespace {

class Fit {
 public:
  Fit(const LabelVotes& votes, const MaceOptions& options, int start)
      : votes_(votes), options_(options), labels_(static_cast<std::size_t>(votes.labels)) {
    Random random(options.seed, "mace", {start});
    const auto raters = static_cast<std::size_t>(votes.raters);
    for (std::size_t r = 0; r < raters; ++r) {
      knows_.push_back(0.5 + 0.5 * random.uniform());
      spams_.push_back(1 - knows_.back());
    }
    for (std::size_t i = 0; i < raters * labels_; ++i) model_.spamming.push_back(0.5 + random.uniform());
    for (std::size_t begin = 0; begin < model_.spamming.size(); begin += labels_) {
      double sum = 0;
      for (std::size_t k = 0; k < labels_; ++k) sum += model_.spamming[begin + k];
      for (std::size_t k = 0; k < labels_; ++k) model_.spamming[begin + k] /= sum;
    }
  }

  Mace run() && {
    model_.likelihoods.push_back(expect());
    for (int i = 0; i < options_.iterations; ++i) {
      maximise();
      model_.likelihoods.push_back(expect());
    }
    for (std::size_t r = 0; r < knows_.size(); ++r) model_.competence.push_back(knows_[r] / (knows_[r] + spams_[r]));
    return std::move(model_);
  }

 private:
  std::size_t place(const LabelVote& vote) const {
    return static_cast<std::size_t>(vote.rater) * labels_ + static_cast<std::size_t>(vote.label);
  }

  // Beliefs and expected counts under the present weights; the objective there.
  double expect() {
    std::vector<double> logs(static_cast<std::size_t>(votes_.items) * labels_, -std::log(static_cast<double>(labels_)));
    for (const LabelVote& vote : votes_.votes) {
      const double spam = spams_[static_cast<std::size_t>(vote.rater)] * model_.spamming[place(vote)];
      for (std::size_t k = 0; k < labels_; ++k) {
        const bool said = k == static_cast<std::size_t>(vote.label);
        logs[static_cast<std::size_t>(vote.item) * labels_ + k] +=
            std::log(spam + (said ? knows_[static_cast<std::size_t>(vote.rater)] : 0));
      }
    }
    double objective = log_prior();
    model_.beliefs.resize(logs.size());
    for (std::size_t begin = 0; begin < logs.size(); begin += labels_) {
      const double total = log_sum_exp_of(std::span(logs).subspan(begin, labels_));
      objective += total;
      for (std::size_t k = 0; k < labels_; ++k) model_.beliefs[begin + k] = std::exp(logs[begin + k] - total);
    }
    known_.assign(knows_.size(), 0);
    spammed_.assign(model_.spamming.size(), 0);
    for (const LabelVote& vote : votes_.votes) {
      const auto rater = static_cast<std::size_t>(vote.rater);
      const double belief =
          model_.beliefs[static_cast<std::size_t>(vote.item) * labels_ + static_cast<std::size_t>(vote.label)];
      const double know = knows_[rater], spam = spams_[rater] * model_.spamming[place(vote)];
      const double knew = know + spam > 0 ? belief * know / (know + spam) : 0;
      known_[rater] += knew;
      spammed_[place(vote)] += 1 - knew;
    }
    return objective;
  }

  double log_prior() const {
    if (options_.variational || options_.smoothing <= 0) return 0;
    double sum = 0;
    for (std::size_t r = 0; r < knows_.size(); ++r) sum += std::log(knows_[r]) + std::log(spams_[r]);
    for (const double p : model_.spamming) sum += std::log(p);
    return options_.smoothing * sum;
  }

  void maximise() {
    for (std::size_t r = 0; r < knows_.size(); ++r) {
      const std::span<double> counts = std::span(spammed_).subspan(r * labels_, labels_);
      double spam = 0;
      for (const double count : counts) spam += count;
      const double beta = options_.variational ? options_.prior : options_.smoothing;
      weigh(known_[r] + beta, spam + beta, knows_[r], spams_[r]);
      const double dirichlet = options_.variational ? options_.spam_prior : options_.smoothing;
      const double total = spam + dirichlet * static_cast<double>(labels_);
      for (std::size_t k = 0; k < labels_; ++k) {
        model_.spamming[r * labels_ + k] = share(counts[k] + dirichlet, total, 1 / static_cast<double>(labels_));
      }
    }
  }

  // A count's share, or exp E[log share] under the posterior; not normalised then, as variational weights are.
  double share(double count, double total, double otherwise) const {
    if (total <= 0) return otherwise;
    return options_.variational ? std::exp(digamma(count) - digamma(total)) : count / total;
  }
  void weigh(double know, double spam, double& knows, double& spams) const {
    knows = share(know, know + spam, 0.5);
    spams = share(spam, know + spam, 0.5);
  }

  const LabelVotes& votes_;
  const MaceOptions& options_;
  std::size_t labels_;
  std::vector<double> knows_, spams_;    // weights of knowing and spamming, a rater
  std::vector<double> known_, spammed_;  // expected counts
  Mace model_;
};

}  // namespace

Mace fit_mace(const LabelVotes& votes, const MaceOptions& options) {
  require(options.restarts > 0 && votes.labels > 0, "a fit needs a start and labels");
  Mace best;
  for (int start = 0; start < options.restarts; ++start) {
    Mace model = Fit(votes, options, start).run();
    if (start == 0 || model.likelihoods.back() > best.likelihoods.back()) best = std::move(model);
  }
  for (std::size_t begin = 0; begin < best.spamming.size(); begin += static_cast<std::size_t>(votes.labels)) {
    double sum = 0;
    for (std::int32_t k = 0; k < votes.labels; ++k) sum += best.spamming[begin + static_cast<std::size_t>(k)];
    for (std::int32_t k = 0; k < votes.labels; ++k) best.spamming[begin + static_cast<std::size_t>(k)] /= sum;
  }
  return best;
}

}  // namespace attune
