// How many judgements a preference test needs.
#pragma once

#include <cstdint>

namespace attune {

// The exact two-sided sign test at level `alpha`: how likely it is to say that a win rate differs from 1/2, of n
// decided comparisons of which each is won with probability `win_rate`. The test rejects where the smaller side is at
// most the largest count whose tail is within alpha / 2.
double sign_test_power(std::int64_t n, double win_rate, double alpha = 0.05);

// The smallest n from which on the power stays at `power` or above (it is a saw of n); 0 where 10^7 do not do.
// `win_rate` other than 1/2.
std::int64_t sign_test_size(double win_rate, double power = 0.8, double alpha = 0.05);

// The same by the normal approximation, (z_alpha/2 / 2 + z_power sqrt(p (1 - p)))^2 / (p - 1/2)^2, not rounded.
double sign_test_size_normal(double win_rate, double power = 0.8, double alpha = 0.05);

// The win rate above 1/2 that n decided comparisons find with this power.
double detectable_win_rate(std::int64_t n, double power = 0.8, double alpha = 0.05);

// By how much the variance of a mean grows where m judgements are of the same item and correlate: 1 + (m - 1)
// correlation (Kish 1965).
double design_effect(double judgements_an_item, double correlation);

}  // namespace attune
