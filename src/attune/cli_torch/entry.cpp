// The torch half's one door.
#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/cli/verbs.h"

extern "C" __attribute__((visibility("default"))) int attune_run_torch_verb(const attune::TorchHalf& half,
                                                                            std::string_view name,
                                                                            attune::Arguments& arguments) {
  using namespace attune;
  set_log_level(static_cast<LogLevel>(half.log_level));
  for (const Verb& verb : torch_verbs()) {
    if (verb.name == name) return verb.run(arguments);
  }
  throw InternalError({}, "no such verb in the torch half: " + std::string(name));
}
