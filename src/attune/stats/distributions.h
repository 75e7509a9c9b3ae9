// Distribution functions that tests and intervals need.
#pragma once

namespace attune {

double normal_cdf(double x);                        // P(Z <= x); the quantile is base/random.h's normal_quantile
double beta_cdf(double x, double a, double b);      // the regularised incomplete beta function; a, b > 0
double gamma_cdf(double x, double shape);           // the regularised lower incomplete gamma function; shape > 0
double chi_squared_tail(double x, double freedom);  // P(X > x)
double student_t_cdf(double x, double freedom);
double student_t_quantile(double p, double freedom);       // p in (0, 1)
double f_tail(double x, double first, double second);      // P(F > x) with `first` and `second` degrees of freedom
double f_quantile(double p, double first, double second);  // p in (0, 1)
double log_choose(double n, double k);                     // log of n over k, 0 <= k <= n
double log_binomial(double k, double n, double p);         // log P(X = k), X binomial(n, p), p in (0, 1)
double digamma(double x);                                  // of x > 0

}  // namespace attune
