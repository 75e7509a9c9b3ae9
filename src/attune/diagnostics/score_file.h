// Scores of completions from a file, as `attune score` writes them.
#pragma once

#include <span>
#include <vector>

#include "attune/base/files.h"
#include "attune/diagnostics/pairs.h"

namespace attune::diagnostics {

// JSON Lines {"record", "completion", "score"}; other members are ignored. The scores of both sides of each pair.
// Throws DataError with the line for a row of another shape, and when a side has no score.
std::vector<Sides> read_scores(const Path& path, std::span<const TokenRecord> records,
                               std::span<const ComparedPair> pairs);

// The data's own scores. Throws DataError when a side has none.
std::vector<Sides> data_scores(std::span<const TokenRecord> records, std::span<const ComparedPair> pairs);

}  // namespace attune::diagnostics
