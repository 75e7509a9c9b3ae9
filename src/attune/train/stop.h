// A polite stop: SIGTERM, SIGINT and SIGUSR1 ask the run to save after the micro-batch at hand and leave; a second
// signal leaves at once (earlier checkpoints stay whole).
#pragma once

namespace attune {

// Handles the signals while it lives.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

bool stop_requested();

}  // namespace attune
