#include <dlfcn.h>

#include <cstdlib>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/log.h"
#include "attune/cli/verbs.h"

namespace attune {

int run_in_torch_half(std::string_view verb, Arguments& arguments) {
  // Waiting threads spin for some ten microseconds, then sleep. OpenMP's default spins on, which costs ten times the
  // run's time as soon as another process wants a core; never spinning costs a third of a small model's speed.
  // Read when the library below is loaded; a setting of the user's own stays.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  ::setenv("GOMP_SPINCOUNT", "20000", 0);
  const Path library = Path(program_folder()) / "libattune_torch.so";
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw InternalError({.file = library.string()}, std::string("a library that does not open: ") + ::dlerror(), "",
                        "run 'make build' again");
  }
  const auto entry = reinterpret_cast<TorchEntry>(::dlsym(handle, torch_entry_name));
  require(entry != nullptr, "the torch half has no entry");
  return entry({.log_level = static_cast<int>(log_level())}, verb, arguments);
}

}  // namespace attune
