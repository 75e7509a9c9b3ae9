// "One method beats another on a toy task": both in the same worlds, seeds 0, 1, 2, ..., and a sign test that rules
// chance out. Below 1e-3 over few worlds in `make test`; below 1e-6 over more of them where ATTUNE_CLAIMS=full, as
// bench/rows/toy_claims.py runs every suite whose name ends in Claims.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "attune/base/json.h"

namespace attune::testing {

struct Worlds {
  int quick = 0;  // at least 10: all of nine by chance is 2e-3
  int full = 0;   // at least 20: all of nineteen by chance is 2e-6
};

inline bool claims_in_full() {
  const char* value = std::getenv("ATTUNE_CLAIMS");
  return value != nullptr && std::string_view(value) == "full";
}

inline int count_of(const Worlds& worlds) { return claims_in_full() ? worlds.full : worlds.quick; }

// The probability of at least `wins` successes in `runs` throws of a fair coin.
inline double sign_test(int wins, int runs) {
  double tail = 0;
  for (int k = wins; k <= runs; ++k) {
    tail +=
        std::exp(std::lgamma(runs + 1.0) - std::lgamma(k + 1.0) - std::lgamma(runs - k + 1.0) - runs * std::log(2.0));
  }
  return tail;
}

// Fails unless `gain(seed)`, by how much the better one is better in that world, is above 0 (a tie is a loss) more
// often than chance allows. The mean gain, recorded with wins, runs and p under `claim` in the test's properties.
template <class Gain>
double expect_wins(const std::string& claim, const Worlds& worlds, const Gain& gain) {
  const int runs = count_of(worlds);
  const double bar = claims_in_full() ? 1e-6 : 1e-3;
  int wins = 0;
  double mean = 0;
  for (int seed = 0; seed < runs; ++seed) {
    const double gained = gain(static_cast<std::uint64_t>(seed));
    wins += gained > 0 ? 1 : 0;
    mean += gained / runs;
  }
  const double p = sign_test(wins, runs);
  ::testing::Test::RecordProperty(
      claim, Json::object({{"wins", wins}, {"runs", runs}, {"p", p}, {"bar", bar}, {"gain", mean}}).str());
  EXPECT_LT(p, bar) << claim << ": " << wins << " of " << runs << ", mean gain " << mean;
  return mean;
}

}  // namespace attune::testing
