// --temperature, --top-k, --top-p, --min-p: what verbs that sample share.
#pragma once

#include "attune/cli/arguments.h"
#include "attune/generate/sampler.h"

namespace attune {

// Takes the options from the command line. UsageError for values out of range.
SamplingOptions sampling_options(Arguments& arguments, SamplingOptions otherwise = {});

// A whole number of at least `least`. UsageError for others.
std::int64_t integer_from(Arguments& arguments, std::string_view name, std::int64_t otherwise, std::int64_t least);

}  // namespace attune
