// Labels that are distributions over people: how far they lie apart, and whether groups of people differ.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/stats/agreement.h"

namespace attune {

// Counts or weights as shares that sum to 1. Empty where they sum to 0.
std::vector<double> shares_of(std::span<const double> counts);

// Of distributions over the same classes. The first is what people said; all in nats but where bits are named.
double cross_entropy_of(std::span<const double> people,
                        std::span<const double> model);  // -sum p log q; may be infinite
double kl_divergence(std::span<const double> people, std::span<const double> model);
double jensen_shannon_bits(std::span<const double> first, std::span<const double> second);  // in [0, 1] (Lin 1991)
double total_variation(std::span<const double> first, std::span<const double> second);

// Agreement inside of one group of raters and with everybody else (Prabhakaran et al. 2023, "A framework to assess
// (dis)agreement among diverse rater groups").
struct GroupAgreement {
  double inside = 0;  // Krippendorff's alpha (nominal) of the group's own ratings
  double across = 0;  // cross-replication reliability (Wong et al. 2021): 1 - observed / expected disagreement of pairs
                      // of one inside and one outside
  double index = 0;   // inside / across: the group association index; above 1 the group holds together
  std::int64_t raters = 0, ratings = 0;
};
// `member[rater]` says who is in the group. NaN where a number cannot be had.
GroupAgreement group_agreement(std::span<const Vote> votes, const std::vector<bool>& member);

// One minus the share of disagreeing pairs of one `first` and one `second` rating of the same unit over that expected
// of pairs of any units. Units that lack one side are skipped; a unit counts as its pairs over its ratings, the sides
// alike.
double cross_reliability(std::span<const std::vector<double>> first, std::span<const std::vector<double>> second);

}  // namespace attune
