// Matches between contestants: what ratings are fitted to, and whether they can be.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attune {

// One comparison of two contestants (numbers from 0), or several alike.
struct Match {
  std::int32_t a = 0, b = 0;
  double score = 1;  // of a: 1 won, 0 lost, 0.5 a tie
  double weight = 1;
};

// Equal matches as one with the sum of their weights, whichever side is called a. In the order of a, b, score.
std::vector<Match> merged(std::span<const Match> matches);

// The contestants that comparisons connect, a group each, in the order of their first members. One group of all:
// ratings can be compared. Matches of weight 0 connect nothing.
std::vector<std::vector<std::int32_t>> connected_groups(std::span<const Match> matches, std::int32_t contestants);

// The groups inside of which everybody beat or tied everybody by a chain of others, best group first where one is above
// the other (Ford 1957). One group of all: finite ratings fit best. Several: no one of a lower group ever took a point
// from a higher one, and the best ratings are infinitely far apart.
std::vector<std::vector<std::int32_t>> winning_groups(std::span<const Match> matches, std::int32_t contestants);

}  // namespace attune
