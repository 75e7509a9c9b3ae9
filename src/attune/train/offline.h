// The recipe for every objective on given data: SFT, DPO and whatever else objectives/ holds. Reads top to bottom like
// ARCHITECTURE.md's "path of data".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "attune/base/files.h"
#include "attune/train/run.h"
#include "attune/train/run_directory.h"

namespace attune {

struct RunContext {
  Fs& fs;
  bool trace = false;                     // names of the steps on stderr
  bool profile = false;                   // counts where the time of steps goes, into profile.json of the run
  std::optional<std::int64_t> from = {};  // resume from this checkpoint, not the newest
};

struct RunOutcome {
  std::int64_t steps = 0;  // of all stages
  double loss = 0;         // of the last step
  std::map<std::string, double> metrics = {};
};

// Runs all stages, from the newest checkpoint of the directory where there is one. Throws Interrupted (75) after saving
// when a signal asked it to stop, DataError when losses stay non-finite, and whatever its parts throw.
RunOutcome run_offline(RunFile& run, RunDirectory& directory, const RunContext& context);

}  // namespace attune
