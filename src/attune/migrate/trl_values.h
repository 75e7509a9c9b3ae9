// The arguments of a TRL command with TRL's defaults behind them, by type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/migrate/trl_command.h"
#include "attune/migrate/trl_keys.h"

namespace attune {

// The finite number of a scalar; ConfigError naming `argument` when it is none.
double trl_number(const ConfigNode& node, std::string_view argument);

class TrlValues {
 public:
  explicit TrlValues(const TrlCommand& command) : command_(&command) {}

  const TrlCommand& command() const { return *command_; }
  bool knows(std::string_view name) const { return find_trl_key(name, command_->letter) != nullptr; }
  bool given(std::string_view name) const;  // and not None
  Where where(std::string_view name) const;

  // The value given, else TRL's default. ConfigError when a given one is not of that kind.
  std::string text(std::string_view name) const;  // empty: None
  std::string number_text(std::string_view name) const;
  double number(std::string_view name) const;
  std::int64_t count(std::string_view name) const;  // a whole number above 0
  bool truth(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;  // one scalar is a list of one
  const ConfigNode* node(std::string_view name) const { return command_->find(name); }

  // Whether the value given is TRL's default, another harmless value, or None.
  bool harmless(const TrlKey& key) const;
  // "learning_rate", or that it is TRL's default: what stands behind a line of the run file.
  std::string remark(std::string_view name) const;

 private:
  const TrlCommand* command_;
};

}  // namespace attune
