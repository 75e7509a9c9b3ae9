// What several annotators said about the same two answers, as votes.
#pragma once

#include <string>
#include <vector>

#include "attune/data/record.h"
#include "attune/stats/agreement.h"

namespace attune {

// One comparison of two completions of a record, in one direction.
struct ComparedItem {
  std::string record = {};       // its id or number
  std::vector<Vote> votes = {};  // unit: the item's number; rater: into Dataset::annotators; value: of Outcome
};

// Comparisons by annotators of whole completions, in the order of the records; what a later feedback supersedes does
// not count. An outcome has the same value whichever completion was called a.
std::vector<ComparedItem> compared_items(const Dataset& dataset);

}  // namespace attune
