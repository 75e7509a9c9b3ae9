// --model, --adapter, --tokenizer, --template: what verbs that use a model share.
#pragma once

#include <optional>
#include <string>

#include "attune/base/json.h"
#include "attune/cli/arguments.h"
#include "attune/model/language_model.h"
#include "attune/text/tokenizer.h"
#include "attune/train/run.h"

namespace attune {

struct ModelChoice {
  std::string model = {};
  std::string tokenizer = {};               // the model folder unless named
  std::optional<std::string> adapter = {};  // a PEFT folder
  std::string chat_template = {};           // a file; empty: the tokenizer's own
};

// Takes the options from the command line.
ModelChoice model_choice(Arguments& arguments);

// A folder of a model, or of an adapter that names its base model.
ModelChoice model_named(const std::string& folder);

// Loads it, checks that the tokenizer fits, sets the number of threads. A folder that holds only an adapter names its
// base model itself.
LanguageModel load_choice(const ModelChoice& choice, const Tokenizer& tokenizer);

// Before the first tensor of a run: the allocator, and as many threads as the run file asks for.
void prepare_process(const RunFile& run);

// How answers address a record: its id, or its row number (from 0) where it has none.
Json record_address(const std::string& id, std::int64_t row);

}  // namespace attune
