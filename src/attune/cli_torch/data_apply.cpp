// `attune data apply` with operators that ask for a model's answers.
#include "attune/cli/apply.h"
#include "attune/cli_torch/model_writer.h"
#include "attune/cli_torch/verbs.h"

namespace attune {

int run_data_apply_with_models(Arguments& arguments) { return apply_to_data(arguments, open_model_writer); }

}  // namespace attune
