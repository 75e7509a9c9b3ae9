// Which answers are worth learning by likelihood.
#pragma once

#include "attune/policy/layout.h"

namespace attune::objectives {

// Adds them in the role chosen: of comparisons the chosen side; where nobody compared, every answer without a thumb
// down.
void lay_out_demonstrations(const RecordView& record, Layout& layout);

inline constexpr const char* demonstrations_data = "demonstrations, or comparisons, whose chosen side is learned";

}  // namespace attune::objectives
