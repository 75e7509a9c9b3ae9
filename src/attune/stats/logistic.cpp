#include "attune/stats/logistic.h"

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/stats/minimise.h"

namespace attune {
namespace {

// The penalised negative log-likelihood; parameters are the weights and, last, the intercept where there is one.
class Likelihood {
 public:
  Likelihood(const SparseRows& rows, std::span<const double> targets, std::span<const double> weights,
             const LogisticOptions& options)
      : rows_(rows), targets_(targets), weights_(weights), l2_(options.l2), intercept_(options.intercept) {
    require(rows.size() == targets.size() && rows.size() == weights.size(), "one target and one weight a row");
  }

  double operator()(std::span<const double> parameters, std::span<double> gradient) const {
    double sum = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      double x = intercept_ ? parameters.back() : 0;
      for (const auto& [column, value] : rows_[i]) x += parameters[column] * value;
      sum += weights_[i] * (targets_[i] * softplus_of(-x) + (1 - targets_[i]) * softplus_of(x));
      const double slope = weights_[i] * (sigmoid_of(x) - targets_[i]);
      for (const auto& [column, value] : rows_[i]) gradient[column] += slope * value;
      if (intercept_) gradient.back() += slope;
    }
    for (std::size_t i = 0; i < rows_.width(); ++i) {
      sum += l2_ / 2 * parameters[i] * parameters[i];
      gradient[i] += l2_ * parameters[i];
    }
    return sum;
  }

 private:
  const SparseRows& rows_;
  std::span<const double> targets_, weights_;
  double l2_;
  bool intercept_;
};

// 1 each, or so that both kinds weigh the same.
std::vector<double> weights_of(std::span<const std::uint8_t> labels, bool balanced) {
  const auto ones = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
  const auto all = static_cast<double>(labels.size());
  require(ones > 0 && ones < all, "a classifier of one kind");
  std::vector<double> weights(labels.size(), 1);
  for (std::size_t i = 0; balanced && i < labels.size(); ++i) {
    weights[i] = all / (2 * (labels[i] != 0 ? ones : all - ones));
  }
  return weights;
}

}  // namespace

void SparseRows::add(std::span<const Entry> row) {
  for (const Entry& entry : row) width_ = std::max<std::size_t>(width_, entry.first + std::size_t{1});
  entries_.insert(entries_.end(), row.begin(), row.end());
  begins_.push_back(entries_.size());
}

double LogisticModel::log_odds(std::span<const SparseRows::Entry> row) const {
  double sum = intercept;
  for (const auto& [column, value] : row) sum += column < weights.size() ? weights[column] * value : 0;
  return sum;
}

LogisticModel fit_logistic(const SparseRows& rows, std::span<const std::uint8_t> labels,
                           const LogisticOptions& options) {
  return fit_soft_logistic(rows, std::vector<double>(labels.begin(), labels.end()),
                           weights_of(labels, options.balanced), options);
}

LogisticModel fit_soft_logistic(const SparseRows& rows, std::span<const double> targets,
                                std::span<const double> weights, const LogisticOptions& options) {
  const Likelihood likelihood(rows, targets, weights, options);
  Minimum minimum = minimise(
      std::cref(likelihood), std::vector<double>(rows.width() + (options.intercept ? 1 : 0), 0),
      {.most_iterations = options.most_iterations, .tolerance = options.tolerance * static_cast<double>(rows.size())});
  LogisticModel model{.iterations = minimum.iterations, .converged = minimum.converged};
  if (options.intercept) {
    model.intercept = minimum.at.back();
    minimum.at.pop_back();
  }
  model.weights = std::move(minimum.at);
  return model;
}

}  // namespace attune
