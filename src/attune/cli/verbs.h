// The verbs: one function each, in a file of its name. Those that need libtorch live in cli_torch/, behind one shared
// library that the program opens when such a verb is called (linking it would cost every start 260 ms).
#pragma once

#include <span>
#include <string_view>

#include "attune/cli/arguments.h"

namespace attune {

struct Verb {
  std::string_view name;
  std::string_view summary;  // one line of `attune --help`
  std::string_view usage;    // what `attune VERB --help` shows
  int (*run)(Arguments&);    // the exit code; nullptr: lives in the torch half
};

std::span<const Verb> verbs();        // all of them, in the order of the help
std::span<const Verb> torch_verbs();  // the torch half's own table (defined in cli_torch/)

// What the program passes to the torch half, whose copies of the libraries below are its own.
struct TorchHalf {
  int log_level = 1;
};
// The one symbol that the shared library exports.
inline constexpr const char* torch_entry_name = "attune_run_torch_verb";
using TorchEntry = int (*)(const TorchHalf&, std::string_view verb, Arguments&);

// Opens the library, which happens only for verbs that need it, and runs its verb of this name.
int run_in_torch_half(std::string_view verb, Arguments& arguments);

// The folder that holds the program, its shared library and parts.json.
std::string program_folder();

int run_data(Arguments& arguments);
int run_data_apply(Arguments& arguments);
int run_explain(Arguments& arguments);
int run_compare(Arguments& arguments);
int run_eval(Arguments& arguments);
int run_score_here(Arguments& arguments);  // by a verifier; reward models in the torch half
int run_stats(Arguments& arguments);
int run_init(Arguments& arguments);
int run_parts(Arguments& arguments);
int run_tokenize(Arguments& arguments);

}  // namespace attune
