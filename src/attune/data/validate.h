// Deep checks of records: every index in range, every value finite and on its scale.
#pragma once

#include <string>
#include <vector>

#include "attune/data/record.h"

namespace attune {

// What is wrong with one place of a record, never its content.
struct RecordProblem {
  std::string field = {};  // nodes[2].parent
  std::string found = {}, expected = {};
};

// Everything that is wrong with `record` as a member of `dataset` (whose annotators, scales, rubrics and sources it
// names). An empty answer is legal here; the formats decide what their rows must hold.
std::vector<RecordProblem> validate(const Record& record, const Dataset& dataset);

// Models here read text alone: throws DataError for the first record with images, in its messages or as a column
// `image` or `images`, before anything would leave them out silently.
void require_text_alone(const Dataset& dataset);

}  // namespace attune
