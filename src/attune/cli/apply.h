// `attune data apply`, for both halves of the program.
#pragma once

#include "attune/cli/arguments.h"
#include "attune/curate/writer.h"

namespace attune {

// Without `open`, operators that ask for a model's answers are run in the torch half, which has it.
int apply_to_data(Arguments& arguments, const OpenWriter& open = {});

}  // namespace attune
