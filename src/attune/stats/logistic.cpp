#include "attune/stats/logistic.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include "attune/base/errors.h"

namespace attune {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

Vector plus(const Vector& a, double factor, const Vector& b) {
  Vector sum = a;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * b[i];
  return sum;
}

double linear(const Vector& parameters, std::span<const SparseRows::Entry> row) {
  double sum = parameters.back();
  for (const auto& [column, value] : row) sum += parameters[column] * value;
  return sum;
}

// The penalised negative log-likelihood; parameters are the weights and, last, the intercept.
class Likelihood {
 public:
  Likelihood(const SparseRows& rows, std::span<const std::uint8_t> labels, const LogisticOptions& options)
      : rows_(rows), labels_(labels), l2_(options.l2) {
    const auto ones = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
    const auto all = static_cast<double>(labels.size());
    require(rows.size() == labels.size() && ones > 0 && ones < all, "a classifier of one kind");
    if (options.balanced) of_kind_ = {all / (2 * (all - ones)), all / (2 * ones)};
  }

  double value(const Vector& parameters, Vector& gradient) const {
    gradient.assign(parameters.size(), 0);
    double sum = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const double weight = of_kind_[labels_[i]], sign = labels_[i] != 0 ? 1 : -1;
      const double x = sign * linear(parameters, rows_[i]);
      sum += weight * (std::max(-x, 0.0) + std::log1p(std::exp(-std::abs(x))));
      const double slope = -sign * weight / (1 + std::exp(x));
      for (const auto& [column, value] : rows_[i]) gradient[column] += slope * value;
      gradient.back() += slope;
    }
    for (std::size_t i = 0; i + 1 < parameters.size(); ++i) {
      sum += l2_ / 2 * parameters[i] * parameters[i];
      gradient[i] += l2_ * parameters[i];
    }
    return sum;
  }

 private:
  const SparseRows& rows_;
  std::span<const std::uint8_t> labels_;
  double l2_;
  Vector of_kind_ = {1, 1};
};

// The last steps and the changes of the gradient along them.
struct Curvature {
  Vector step, change;
  double product;
};

// The two-loop recursion: the inverse Hessian's estimate times the gradient.
Vector direction_of(const Vector& gradient, const std::deque<Curvature>& memory) {
  Vector direction = gradient, alphas(memory.size());
  for (std::size_t i = memory.size(); i-- > 0;) {
    alphas[i] = dot(memory[i].step, direction) / memory[i].product;
    direction = plus(direction, -alphas[i], memory[i].change);
  }
  if (!memory.empty()) {
    const double scale = memory.back().product / dot(memory.back().change, memory.back().change);
    for (double& entry : direction) entry *= scale;
  }
  for (std::size_t i = 0; i < memory.size(); ++i) {
    direction = plus(direction, alphas[i] - dot(memory[i].change, direction) / memory[i].product, memory[i].step);
  }
  return direction;
}

double largest(const Vector& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
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
  constexpr std::size_t remembered = 10;
  const Likelihood likelihood(rows, labels, options);
  const double goal = options.tolerance * static_cast<double>(rows.size());
  Vector parameters(rows.width() + 1, 0), gradient;
  double value = likelihood.value(parameters, gradient);
  std::deque<Curvature> memory;
  LogisticModel model;
  while (!(model.converged = largest(gradient) <= goal) && model.iterations < options.most_iterations) {
    const Vector direction = direction_of(gradient, memory);
    const double slope = dot(gradient, direction);
    // The first step has no curvature to go by: at most of length 1.
    double rate = memory.empty() ? std::min(1.0, 1 / std::sqrt(dot(gradient, gradient))) : 1;
    Vector next, next_gradient;
    double next_value = 0;
    for (;; rate /= 2) {
      next = plus(parameters, -rate, direction);
      next_value = likelihood.value(next, next_gradient);
      if (next_value <= value - 1e-4 * rate * slope || rate < 1e-12) break;
    }
    if (rate < 1e-12) break;  // rounding hides any further descent
    Curvature curvature{plus(next, -1, parameters), plus(next_gradient, -1, gradient), 0};
    curvature.product = dot(curvature.step, curvature.change);
    if (curvature.product > 0) memory.push_back(std::move(curvature));
    if (memory.size() > remembered) memory.pop_front();
    parameters = std::move(next);
    gradient = std::move(next_gradient);
    value = next_value;
    ++model.iterations;
  }
  model.intercept = parameters.back();
  parameters.pop_back();
  model.weights = std::move(parameters);
  return model;
}

}  // namespace attune
