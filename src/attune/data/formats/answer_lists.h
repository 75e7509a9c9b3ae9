// Rows with several right and several wrong answers.
#pragma once

#include "attune/data/formats/draft.h"

namespace attune::formats {

// The lists `chosen` and `rejected` as answers, and one ranking of two tiers: all of one above all of the other.
void chosen_and_rejected_lists(Entry& row, Draft& draft);

}  // namespace attune::formats
