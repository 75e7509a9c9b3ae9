// Intraclass correlations: how much of the spread of numeric ratings is the items' own.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "attune/stats/agreement.h"

namespace attune {

// One of the six of Shrout and Fleiss (1979, "Intraclass correlations: uses in assessing rater reliability").
struct IntraclassCorrelation {
  const char* name = "";   // "ICC(2,1)": the case, and of how many raters' mean (k: all of them)
  double value = 0;        // NaN where nothing varies
  Interval interval = {};  // at the level asked for
  double f = 0, first_freedom = 0, second_freedom = 0, p = 1;  // of the test that it is 0
};

// In the order ICC(1,1), (2,1), (3,1), (1,k), (2,k), (3,k): each item has raters of its own; all have the same raters,
// who stand for others; who are all there are. `ratings`: item by item, each as long as the others, at least 2 x 2
// (InternalError).
std::array<IntraclassCorrelation, 6> intraclass_correlations(std::span<const std::vector<double>> ratings,
                                                             double level = 0.95);

}  // namespace attune
