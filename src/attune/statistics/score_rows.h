// Scores of the answers of preference data, from a file as `attune score` writes it or from the data itself.
#pragma once

#include <string>
#include <vector>

#include "attune/statistics/evidence.h"

namespace attune {

// A decided comparison and the scores of both answers.
struct ScoredPair {
  double chosen = 0, rejected = 0;
};

// Pairs of the data in order. `scores`: a file of {"record", "completion", "score"}; empty: the data's own ratings.
// Throws DataError for a scored record or completion that the data does not have, one scored twice, and where a side of
// a pair has no score: scores are joined by record, never by position.
std::vector<ScoredPair> scored_pairs(const Evidence& evidence, const std::string& scores);

}  // namespace attune
