#include "attune/stats/minimise.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

namespace attune {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

Vector plus(const Vector& a, double factor, const Vector& b) {
  Vector sum = a;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * b[i];
  return sum;
}

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

class Search {
 public:
  Search(const SmoothFunction& function, Vector start) : function_(function), at_(std::move(start)) {
    value_ = evaluate(at_, gradient_);
  }

  double steepness() const { return largest(gradient_); }

  // One step downhill; false where there is none left.
  bool step() {
    constexpr std::size_t remembered = 10;
    const Vector direction = direction_of(gradient_, memory_);
    const double slope = dot(gradient_, direction);
    // The first step has no curvature to go by: at most of length 1.
    double rate = memory_.empty() ? std::min(1.0, 1 / std::sqrt(dot(gradient_, gradient_))) : 1;
    Vector next, next_gradient;
    double next_value = 0;
    for (;; rate /= 2) {
      if (rate < 1e-12) return false;
      next = plus(at_, -rate, direction);
      next_value = evaluate(next, next_gradient);
      if (next_value <= value_ - 1e-4 * rate * slope) break;
      const bool level = next_value <= value_ + 1e-14 * std::abs(value_);
      if (level && std::abs(dot(next_gradient, direction)) < 0.9 * slope) break;
    }
    Curvature curvature{plus(next, -1, at_), plus(next_gradient, -1, gradient_), 0};
    curvature.product = dot(curvature.step, curvature.change);
    if (curvature.product > 0) memory_.push_back(std::move(curvature));
    if (memory_.size() > remembered) memory_.pop_front();
    at_ = std::move(next);
    gradient_ = std::move(next_gradient);
    value_ = next_value;
    return true;
  }

  Minimum result() && { return {.at = std::move(at_), .value = value_, .steepness = largest(gradient_)}; }

 private:
  double evaluate(const Vector& at, Vector& gradient) const {
    gradient.assign(at.size(), 0);
    return function_(at, gradient);
  }

  const SmoothFunction& function_;
  Vector at_, gradient_;
  double value_ = 0;
  std::deque<Curvature> memory_;
};

}  // namespace

Minimum minimise(const SmoothFunction& function, std::vector<double> start, const MinimiseOptions& options) {
  Search search(function, std::move(start));
  int iterations = 0;
  bool converged = search.steepness() <= options.tolerance;
  while (!converged && iterations < options.most_iterations && search.step()) {
    ++iterations;
    converged = search.steepness() <= options.tolerance;
  }
  Minimum minimum = std::move(search).result();
  minimum.iterations = iterations;
  minimum.converged = converged;
  return minimum;
}

double sigmoid_of(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

double softplus_of(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double log_odds_of(double probability) { return std::log(probability) - std::log1p(-probability); }

double log_sum_exp_of(std::span<const double> values) {
  if (values.empty()) return -INFINITY;
  const double top = *std::max_element(values.begin(), values.end());
  if (!std::isfinite(top)) return top;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - top);
  return top + std::log(sum);
}

}  // namespace attune
