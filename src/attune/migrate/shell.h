// The simple commands of a shell script, as words: enough of the language for the files in which people keep their
// training commands. Nothing is run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/base/errors.h"

namespace attune {

struct ShellCommand {
  std::vector<std::string> words = {};  // quotes and variables resolved; assignments before the command left out
  std::string unresolved = {};          // the first variable or substitution among them whose value the text lacks
  std::int64_t line = 1;                // where it begins
};

// Knows quotes, backslashes, comments, variables that the text itself sets, ';', '&&' and '|'. Redirections are passed
// over. Throws UsageError for a quote that is not closed.
std::vector<ShellCommand> shell_commands(std::string_view text, const std::string& file);

}  // namespace attune
