// The loss that an objective gives one pair, and how it changes with the two log-probabilities: what the pair's
// gradient is made of, before any model is involved.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "attune/config/part.h"
#include "attune/diagnostics/pairs.h"
#include "attune/objectives/objective.h"

namespace attune::diagnostics {

// One pair as an objective sees it.
struct PairPoint {
  Sides policy = {}, reference = {};  // log-probabilities, nats
  Sides lengths = {1, 1};             // scored tokens
};

struct PairPartials {
  double loss = 0;
  Sides partial = {};  // of the loss by log pi(chosen) and by log pi(rejected)
};

// The objective of that name with its defaults; InternalError when there is none.
Choice<Objective> objective_named(std::string_view name);

// Each pair as if it were a whole optimiser step: counts and statistics are its own. Throws ConfigError when the
// objective learns from more than the two log-probabilities and the reference's.
std::vector<PairPartials> pair_partials(const Choice<Objective>& objective, std::span<const PairPoint> points);

}  // namespace attune::diagnostics
