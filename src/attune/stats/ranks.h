// Statistics of order: whether columns of numbers rank the same things alike.
#pragma once

#include <span>
#include <vector>

namespace attune {

// The rank of each value from 1, ties at their mean rank.
std::vector<double> ranks_of(std::span<const double> values);

// Pearson's correlation. NaN below two values, or where one side is constant; so are the two below.
double correlation(std::span<const double> x, std::span<const double> y);

// Spearman's rank correlation: Pearson's of the ranks.
double rank_correlation(std::span<const double> x, std::span<const double> y);

// Kendall's tau-b (Kendall 1945): (concordant - discordant) / sqrt((pairs - ties in x) (pairs - ties in y)). In
// n log n steps (Knight 1966).
double kendall_tau_b(std::span<const double> x, std::span<const double> y);

// Kendall's coefficient of concordance W of several rankings of the same things, corrected for ties (Kendall and Smith
// 1939); 1 where all agree. `columns`: one a judge, all of one length. Its chi-squared test that nothing is shared.
struct Concordance {
  double w = 0;  // NaN below two judges or things, or where every judge ties everything
  double chi_squared = 0, freedom = 0, p = 1;
};
Concordance kendall_w(std::span<const std::vector<double>> columns);

}  // namespace attune
