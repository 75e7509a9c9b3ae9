#include "attune/stats/distributions.h"

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr double tiny = 1e-300, enough = 1e-16;

// The continued fraction of the incomplete beta function (Lentz's method; Numerical recipes, 6.4).
double beta_fraction(double x, double a, double b) {
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < tiny ? tiny : d);
  double result = d;
  for (int m = 1; m < 10'000; ++m) {
    const double twice = 2.0 * m;
    const auto advance = [&](double numerator) {
      d = 1 + numerator * d;
      c = 1 + numerator / c;
      d = 1 / (std::abs(d) < tiny ? tiny : d);
      if (std::abs(c) < tiny) c = tiny;
      result *= d * c;
      return std::abs(d * c - 1) < enough;
    };
    advance(m * (b - m) * x / ((a + twice - 1) * (a + twice)));
    if (advance(-(a + m) * (a + b + m) * x / ((a + twice) * (a + twice + 1)))) break;
  }
  return result;
}

// The point where an increasing function of [low, high] reaches p.
template <class Function>
double inverse(double p, double low, double high, const Function& function) {
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (function(middle) < p ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

}  // namespace

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double beta_cdf(double x, double a, double b) {
  require(a > 0 && b > 0, "the parameters of a beta distribution");
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

double gamma_cdf(double x, double shape) {
  require(shape > 0, "the shape of a gamma distribution");
  if (x <= 0) return 0;
  const double front = std::exp(shape * std::log(x) - x - std::lgamma(shape));
  if (x < shape + 1) {  // the series
    double term = 1 / shape, sum = term;
    for (int i = 1; i < 100'000 && std::abs(term) > enough * std::abs(sum); ++i) sum += term *= x / (shape + i);
    return front * sum;
  }
  double b = x + 1 - shape, c = 1 / tiny, d = 1 / b, result = d;  // the continued fraction of the tail
  for (int i = 1; i < 100'000; ++i) {
    const double numerator = -i * (i - shape);
    b += 2;
    d = numerator * d + b;
    d = 1 / (std::abs(d) < tiny ? tiny : d);
    c = b + numerator / c;
    if (std::abs(c) < tiny) c = tiny;
    result *= d * c;
    if (std::abs(d * c - 1) < enough) break;
  }
  return 1 - front * result;
}

double chi_squared_tail(double x, double freedom) { return 1 - gamma_cdf(x / 2, freedom / 2); }

double student_t_cdf(double x, double freedom) {
  const double tail = beta_cdf(freedom / (freedom + x * x), freedom / 2, 0.5) / 2;
  return x > 0 ? 1 - tail : tail;
}

double student_t_quantile(double p, double freedom) {
  require(p > 0 && p < 1, "a quantile inside of (0, 1)");
  if (p < 0.5) return -student_t_quantile(1 - p, freedom);
  // x^2 / (freedom + x^2) is beta(1/2, freedom / 2).
  const double share = inverse(2 * p - 1, 0, 1, [&](double x) { return beta_cdf(x, 0.5, freedom / 2); });
  return std::sqrt(freedom * share / (1 - share));
}

double f_tail(double x, double first, double second) {
  return x <= 0 ? 1 : beta_cdf(second / (second + first * x), second / 2, first / 2);
}

double f_quantile(double p, double first, double second) {
  require(p > 0 && p < 1, "a quantile inside of (0, 1)");
  const double share = inverse(p, 0, 1, [&](double x) { return beta_cdf(x, first / 2, second / 2); });
  return second * share / (first * (1 - share));
}

double log_choose(double n, double k) { return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1); }

double log_binomial(double k, double n, double p) {
  return log_choose(n, k) + k * std::log(p) + (n - k) * std::log1p(-p);
}

double digamma(double x) {
  double result = 0;
  for (; x < 10; x += 1) result -= 1 / x;
  const double square = 1 / (x * x);
  const double series =
      square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square * (1.0 / 240 - square / 132))));
  return result + std::log(x) - 0.5 / x - series;
}

}  // namespace attune
