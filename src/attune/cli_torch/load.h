// --model, --adapter, --tokenizer, --template, --device, and several models: what verbs that use models share.
#pragma once

#include <optional>
#include <string>
#include <vector>

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
  at::Device device = at::kCPU;
};

// --device, found: the first GPU, else the CPU, where it is not given. UsageError for what is no device name,
// DeviceError for a device that is not there.
at::Device device_option(Arguments& arguments);

// Takes the options from the command line.
ModelChoice model_choice(Arguments& arguments);

// A folder of a model, or of an adapter that names its base model.
ModelChoice model_named(const std::string& folder);

struct WeightedChoice {
  ModelChoice choice = {};
  double weight = 1;
};

// The same for verbs that several models may serve at once: --model as above, with --before B and --momentum A as well
// (weights 1 + A and -A), or --models and --weights. The first one's tokenizer and template are those of all; models of
// weight 0 are left out. UsageError for options that do not go together.
std::vector<WeightedChoice> model_choices(Arguments& arguments);

// Models that are compared or combined token by token: ConfigError when the choice's folder brings another tokenizer
// than `tokenizer`, which was loaded from `name`.
void require_tokenizer(const ModelChoice& choice, const Tokenizer& tokenizer, const std::string& name);

// Loads it, checks that the tokenizer fits, sets the number of threads. A folder that holds only an adapter names its
// base model itself.
LanguageModel load_choice(const ModelChoice& choice, const Tokenizer& tokenizer);

// Before the first tensor of a run: the allocator, and as many threads as the run file asks for.
void prepare_process(const RunFile& run);

// How answers address a record: its id, or its row number (from 0) where it has none.
Json record_address(const std::string& id, std::int64_t row);

}  // namespace attune
