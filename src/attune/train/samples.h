// Answers of the model in training, for people to read beside the curves.
#pragma once

#include <vector>

#include "attune/base/json.h"
#include "attune/data/record.h"
#include "attune/model/language_model.h"
#include "attune/text/tokenizer.h"
#include "attune/train/run.h"

namespace attune {

// Greedy answers to the first prompts of the data: rows {"prompt", "text", "stop"}.
std::vector<Json> write_samples(const LanguageModel& model, const Tokenizer& tokenizer, const Dataset& prompts,
                                const RunSettings& settings);

}  // namespace attune
