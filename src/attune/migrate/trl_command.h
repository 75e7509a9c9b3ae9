// A training command of TRL as people keep it: a shell script, a command line, or YAML.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/config/node.h"

namespace attune {

struct TrlCommand {
  std::string trainer = {};  // "dpo"
  char letter = 0;           // its letter in the tables of trl_keys.h
  std::int64_t devices = 1;  // processes that train side by side
  std::string file = {};
  std::vector<ConfigNode::Member> arguments = {};  // by TRL's name, in their order; each once

  const ConfigNode* find(std::string_view name) const;
};

struct TrlSource {
  std::string text = {};
  std::string file = {};                     // its name, for messages; .yaml and .yml are YAML, all else a shell script
  std::optional<std::string> trainer = {};   // what YAML does not say
  std::optional<std::int64_t> devices = {};  // overrides what the command says
};

// Finds `trl TRAINER ...`, `python .../TRAINER.py ...` and the same behind `accelerate launch` or `torchrun`; reads the
// YAML that --config names, whose keys the command line overrides. Throws UsageError when no trainer, several, or one
// that attune does not know is named, ConfigError for broken YAML and an unknown key (with the nearest right one), and
// MissingInput for a file that is not there.
TrlCommand read_trl_command(const TrlSource& source);

}  // namespace attune
