// What a TRL loss is among attune's objectives.
#pragma once

#include <string>

#include "attune/migrate/trl_values.h"

namespace attune {

struct TrlObjective {
  std::string first = {};  // the objective's name: what `attune train` takes
  std::string value = {};  // of `objective:`, on one line
};

// Throws ConfigError for a loss that TRL's trainer does not have and for options that TRL, too, refuses with it.
TrlObjective trl_objective(const TrlValues& values);

}  // namespace attune
