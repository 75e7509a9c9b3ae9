// Instructions whose input stands in a column of its own.
#pragma once

#include "attune/data/formats/draft.h"

namespace attune::formats {

// The columns `instruction` and `input` as one message of the user's: two parts, a blank line between them; one part
// where the input is empty.
void instruction_and_input(Entry& row, Draft& draft);

}  // namespace attune::formats
