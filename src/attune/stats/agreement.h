// How far people agree: shares with intervals, pairwise agreement, Krippendorff's alpha, entropy of votes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attune {

struct Interval {
  double low = 0, high = 0;
};

// The Wilson score interval of a share (Wilson 1927) for `successes` out of `trials`, which may be sums of weights.
// z = 1.959964 gives 95 %. [0, 1] without trials.
Interval wilson_interval(double successes, double trials, double z = 1.959963984540054);

struct Share {
  double successes = 0, trials = 0;
  void add(bool success) {
    successes += success ? 1 : 0;
    trials += 1;
  }
  double value() const { return trials > 0 ? successes / trials : 0; }
  Interval interval() const { return wilson_interval(successes, trials); }
};

// The mean of independent values and its 95 % interval from their own spread (Student's t). A value may itself be the
// mean of dependent ones, say of all answers to one question: then the question is what is drawn. [-inf, inf] for fewer
// than two.
struct Mean {
  double value = 0;
  Interval interval = {};
  double count = 0;
};
Mean mean_of(std::span<const double> values);

// One judgement of a unit (item) by a rater; equal values agree.
struct Vote {
  std::int32_t unit = 0, rater = 0;
  double value = 0;
};

// Share of the pairs of votes on the same unit by different raters that are equal.
Share pairwise_agreement(std::span<const Vote> votes);

// The distance of two values: unequal or not; the squared number of values between them; the squared difference; the
// squared difference over the sum.
enum class Metric { nominal, ordinal, interval, ratio };

// Krippendorff's alpha = 1 - observed over expected disagreement (Krippendorff 2011, "Computing Krippendorff's
// alpha-reliability"), each unit a list of values, missing ones left out; units with one value say nothing.
// 1 perfect, 0 as by chance, below 0 worse. NaN when nothing can disagree (fewer than two values, or all equal).
// `ratio` is for values of one sign.
double krippendorff_alpha(std::span<const std::vector<double>> units, Metric metric);

// Entropy in bits of the distribution that counts give; 0 for none.
double entropy_bits(std::span<const double> counts);

}  // namespace attune
