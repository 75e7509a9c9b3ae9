// Data sets of a TRL command as the data part of a run file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attune/migrate/run_text.h"
#include "attune/migrate/trl_values.h"

namespace attune {

struct TrlData {
  std::vector<RunLine> lines = {};
  std::vector<std::string> notes = {};                            // what the user has to do before training
  std::vector<std::pair<std::string, std::string>> refused = {};  // argument and what to do instead
};

TrlData trl_data(const TrlValues& values);

// Whether a name looks like one of the Hugging Face Hub ("owner/name") rather than a path.
bool names_the_hub(const std::string& name);

}  // namespace attune
