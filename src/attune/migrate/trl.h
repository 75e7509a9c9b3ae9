// TRL's training commands as run files.
#pragma once

#include <string>

#include "attune/migrate/trl_command.h"

namespace attune {

struct Translation {
  std::string objective = {};  // what the run file is trained with: attune train OBJECTIVE FILE
  std::string text = {};       // a commented run file; what was not carried over stands at its end with the reason
};

// Every argument becomes a key of the run file, or is listed with the reason why not. TRL's defaults are written out.
// What attune cannot do and what would train another model without it is refused with ConfigError, or listed too when
// `lossy`. ConfigError also for values that TRL does not know.
Translation translate_trl(const TrlCommand& command, bool lossy);

}  // namespace attune
