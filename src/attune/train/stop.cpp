#include "attune/train/stop.h"

#include <unistd.h>

#include <array>
#include <csignal>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr std::array signals{SIGTERM, SIGINT, SIGUSR1};
volatile std::sig_atomic_t requests = 0;

void on_signal(int) {
  requests = requests + 1;
  if (requests > 1) ::_exit(exit_code(ErrorKind::interrupted));
}

}  // namespace

StopSignals::StopSignals() {
  requests = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : signals) ::sigaction(signal, &action, nullptr);
}

StopSignals::~StopSignals() {
  for (const int signal : signals) std::signal(signal, SIG_DFL);
}

bool stop_requested() { return requests > 0; }

}  // namespace attune
