// Logs and progress: lines on stderr, never stdout (that is a command's answer). Set up once, by cli/main.cpp.
#pragma once

#include <string>
#include <string_view>

namespace attune {

enum class LogLevel { quiet, info, debug };

void set_log_level(LogLevel level);
LogLevel log_level();
void log_info(std::string_view line);  // "attune: LINE"
void log_debug(std::string_view line);
void log_warning(std::string_view line);  // shown at every level

// A long loop's rate, progress and remaining time: one line rewritten in place on a terminal, a plain line every few
// seconds elsewhere. total 0: unknown.
class ProgressLine {
 public:
  ProgressLine(std::string what, std::size_t total, std::string unit);
  ~ProgressLine();
  void advance(std::size_t done, std::string_view note = {});  // `done` so far; cheap to call often

 private:
  void show(std::string_view note, bool last);
  std::string what_, unit_;
  std::size_t total_, done_ = 0;
  double start_, shown_ = 0;
  bool terminal_;
  bool drawn_ = false;
};

}  // namespace attune
