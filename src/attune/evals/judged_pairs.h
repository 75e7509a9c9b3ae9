// Pairs of a benchmark with a known better answer, and whether it was found: what all benchmarks of two answers share.
#pragma once

#include "attune/config/fields.h"
#include "attune/evals/groups.h"
#include "attune/evals/opinions.h"

namespace attune {

struct PairOptions {
  double tie = 0.5;  // what equal scores or an undecided judge count
  IntervalOptions interval = {};
  void describe(Fields& fields);
};

// Each decided pair of the data as 1 (the better answer won), 0 or `tie`; a judge's orders are averaged. `group` names
// a record's. Pairs that nobody said anything of are left out and named.
using GroupOf = std::function<std::string(const Record&)>;
Groups judged_pairs(const EvalInput& input, const GroupOf& group, double tie, EvalResult& result);

// 100 times the mean over items, or over groups (`macro`).
EvalResult pair_accuracy(const EvalInput& input, const GroupOf& group, const PairOptions& options, bool macro,
                         std::string title);

}  // namespace attune
