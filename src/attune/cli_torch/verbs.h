// The verbs of the torch half, one function each in a file of its name.
#pragma once

#include "attune/cli/arguments.h"

namespace attune {

int run_chat(Arguments& arguments);
int run_data_apply_with_models(Arguments& arguments);  // "data apply", which its own half passes on
int run_doctor(Arguments& arguments);
int run_plan(Arguments& arguments);
int run_demo(Arguments& arguments);
int run_diagnose(Arguments& arguments);
int run_generate(Arguments& arguments);
int run_logps(Arguments& arguments);
int run_merge(Arguments& arguments);
int run_resume(Arguments& arguments);
int run_score(Arguments& arguments);
int run_train(Arguments& arguments);

}  // namespace attune
