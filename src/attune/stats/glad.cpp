#include "attune/stats/glad.h"

#include <cmath>

#include "attune/base/errors.h"
#include "attune/stats/minimise.h"

namespace attune {
namespace {

// Parameters: abilities of the raters, then log ease of the items.
class Fit {
 public:
  Fit(const LabelVotes& votes, const GladOptions& options)
      : votes_(votes),
        options_(options),
        labels_(static_cast<std::size_t>(votes.labels)),
        raters_(static_cast<std::size_t>(votes.raters)),
        beliefs_(vote_shares(votes)) {
    require(votes.labels >= 2, "a choice of at least two labels");
    at_.assign(raters_ + static_cast<std::size_t>(votes.items), options.log_ease_mean);
    std::fill_n(at_.begin(), raters_, options.ability_mean);
  }

  Glad run() && {
    Glad model;
    model.likelihoods.push_back(expect());
    for (int i = 0; i < options_.steps.most_iterations && !model.converged; ++i) {
      at_ = minimise([this](auto at, auto gradient) { return expected(at, gradient); }, std::move(at_),
                     {.most_iterations = 20, .tolerance = 1e-6})
                .at;
      const double before = model.likelihoods.back();
      model.likelihoods.push_back(expect());
      const double rise = model.likelihoods.back() - before;
      model.converged = rise <= options_.steps.tolerance * static_cast<double>(votes_.votes.size());
    }
    model.beliefs = std::move(beliefs_);
    model.ability.assign(at_.begin(), at_.begin() + static_cast<std::ptrdiff_t>(raters_));
    for (std::size_t i = raters_; i < at_.size(); ++i) model.ease.push_back(std::exp(at_[i]));
    return model;
  }

 private:
  std::size_t item_of(const LabelVote& vote) const { return static_cast<std::size_t>(vote.item); }
  double prior_mean(std::size_t i) const { return i < raters_ ? options_.ability_mean : options_.log_ease_mean; }

  double penalty() const {
    double sum = 0;
    for (std::size_t i = 0; i < at_.size(); ++i) sum += std::pow(at_[i] - prior_mean(i), 2);
    return options_.precision / 2 * sum;
  }

  double expect() {
    const double wrong_labels = std::log(static_cast<double>(labels_ - 1));
    std::vector<double> logs(beliefs_.size(), -std::log(static_cast<double>(labels_)));
    for (const LabelVote& vote : votes_.votes) {
      const double x = at_[static_cast<std::size_t>(vote.rater)] * std::exp(at_[raters_ + item_of(vote)]);
      for (std::size_t k = 0; k < labels_; ++k) {
        const bool right = k == static_cast<std::size_t>(vote.label);
        logs[item_of(vote) * labels_ + k] -= right ? softplus_of(-x) : softplus_of(x) + wrong_labels;
      }
    }
    double objective = -penalty();
    for (std::size_t begin = 0; begin < logs.size(); begin += labels_) {
      const double total = log_sum_exp_of(std::span(logs).subspan(begin, labels_));
      objective += total;
      for (std::size_t k = 0; k < labels_; ++k) beliefs_[begin + k] = std::exp(logs[begin + k] - total);
    }
    return objective;
  }

  // Minus the expected log-likelihood of the votes, and its gradient, under the beliefs.
  double expected(std::span<const double> at, std::span<double> gradient) const {
    double sum = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double off = at[i] - prior_mean(i);
      sum += options_.precision / 2 * off * off;
      gradient[i] = options_.precision * off;
    }
    for (const LabelVote& vote : votes_.votes) {
      const auto rater = static_cast<std::size_t>(vote.rater), item = raters_ + item_of(vote);
      const double ease = std::exp(at[item]), x = at[rater] * ease;
      const double right = beliefs_[item_of(vote) * labels_ + static_cast<std::size_t>(vote.label)];
      sum += right * softplus_of(-x) + (1 - right) * softplus_of(x);
      const double slope = sigmoid_of(x) - right;
      gradient[rater] += slope * ease;
      gradient[item] += slope * x;
    }
    return sum;
  }

  const LabelVotes& votes_;
  const GladOptions& options_;
  std::size_t labels_, raters_;
  LabelBeliefs beliefs_;
  std::vector<double> at_;
};

}  // namespace

Glad fit_glad(const LabelVotes& votes, const GladOptions& options) { return Fit(votes, options).run(); }

}  // namespace attune
