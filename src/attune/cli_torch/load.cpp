#include "attune/cli_torch/load.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/base/threads.h"
#include "attune/tensor/allocator.h"
#include "attune/tensor/device.h"
#include "attune/text/tokenizer_folder.h"

namespace attune {
namespace {

// Numbers, one a model.
std::vector<double> weights_of(Arguments& arguments, const std::vector<std::string>& words, std::size_t models) {
  const std::string expected = "a number from -1000 to 1000 a model, not all of them 0";
  if (words.size() != models) {
    arguments.fail(std::to_string(words.size()) + " --weights for " + std::to_string(models) + " models", expected);
  }
  std::vector<double> weights;
  for (const std::string& word : words) {
    Arguments one(arguments.verb(), {"--weights", word});
    weights.push_back(one.number("--weights", 0));
    if (!(std::abs(weights.back()) <= 1'000)) arguments.fail("--weights " + word, expected);
  }
  if (std::all_of(weights.begin(), weights.end(), [](double weight) { return weight == 0; })) {
    arguments.fail("--weights that are all 0", expected);
  }
  return weights;
}

// A step of momentum from the model before through the model: sum of weights 1.
std::vector<WeightedChoice> with_momentum(Arguments& arguments, ModelChoice choice) {
  const auto before = arguments.option("--before");
  const double momentum = arguments.number("--momentum", before ? 0.3 : 0);
  if (!(momentum >= 0 && momentum < 1)) {
    arguments.fail("--momentum " + format_double(momentum), "a number from 0 to below 1");
  }
  if (!before && momentum > 0) arguments.fail("--momentum without --before", "the model of the round before");
  std::vector<WeightedChoice> choices;
  choices.push_back({.choice = std::move(choice), .weight = 1 + momentum});
  if (momentum > 0) choices.push_back({.choice = model_named(*before), .weight = -momentum});
  return choices;
}

}  // namespace

at::Device device_option(Arguments& arguments) {
  const std::string name = arguments.option("--device").value_or("auto");
  if (!is_device_name(name)) arguments.fail("--device " + name, device_names);
  return find_device(name);
}

ModelChoice model_named(const std::string& folder) {
  ModelChoice choice{.model = folder, .tokenizer = folder};
  const Path path = folder;
  if (is_adapter_folder(path)) {
    choice.adapter = folder;
    choice.model = base_of_adapter(path).string();
  }
  return choice;
}

ModelChoice model_choice(Arguments& arguments) {
  const std::string folder = arguments.required("--model");
  const auto adapter = arguments.option("--adapter");
  ModelChoice choice =
      adapter ? ModelChoice{.model = folder, .tokenizer = folder, .adapter = adapter} : model_named(folder);
  if (const auto tokenizer = arguments.option("--tokenizer")) choice.tokenizer = *tokenizer;
  choice.chat_template = arguments.option("--template").value_or("");
  choice.device = device_option(arguments);
  return choice;
}

std::vector<WeightedChoice> model_choices(Arguments& arguments) {
  const std::vector<std::string> folders = arguments.list("--models"), weight_words = arguments.list("--weights");
  const auto tokenizer = arguments.option("--tokenizer");
  std::vector<WeightedChoice> choices;
  if (folders.empty()) {
    if (!weight_words.empty()) arguments.fail("--weights without --models", "a model for each");
    choices = with_momentum(arguments, model_choice(arguments));
  } else {
    for (const char* name : {"--model", "--adapter", "--before", "--momentum"}) {
      if (arguments.option(name)) arguments.fail(std::string(name) + " beside --models", "one of the two");
    }
    const std::vector<double> weights = weights_of(arguments, weight_words, folders.size());
    for (std::size_t i = 0; i < folders.size(); ++i) {
      if (weights[i] != 0) choices.push_back({.choice = model_named(folders[i]), .weight = weights[i]});
    }
    choices.front().choice.chat_template = arguments.option("--template").value_or("");
  }
  const at::Device device = folders.empty() ? choices.front().choice.device : device_option(arguments);
  for (WeightedChoice& weighted : choices) {
    if (tokenizer) weighted.choice.tokenizer = *tokenizer;
    weighted.choice.device = device;
  }
  return choices;
}

void require_tokenizer(const ModelChoice& choice, const Tokenizer& tokenizer, const std::string& name) {
  if (choice.tokenizer == name || !std::filesystem::exists(tokenizer_file_of(choice.tokenizer))) return;
  if (Tokenizer::load(choice.tokenizer).fingerprint() == tokenizer.fingerprint()) return;
  throw ConfigError({.file = choice.tokenizer}, "another tokenizer than that of " + name, "models of one tokenizer",
                    "name one with --tokenizer if the difference does not matter");
}

LanguageModel load_choice(const ModelChoice& choice, const Tokenizer& tokenizer) {
  install_caching_allocator();
  at::set_num_threads(thread_count());
  require_vocabulary(read_model_config(choice.model), tokenizer.vocabulary_size(), choice.tokenizer);
  LanguageModel model = LanguageModel::load(choice.model, {.device = choice.device});
  if (choice.adapter) model.load_adapter(*choice.adapter);
  return model;
}

void prepare_process(const RunFile& run) {
  install_caching_allocator();
  const int wanted = run.stages.front().settings.threads;
  if (wanted > 0) set_thread_count(wanted);
  at::set_num_threads(thread_count());
}

Json record_address(const std::string& id, std::int64_t row) { return id.empty() ? Json(row) : Json(id); }

}  // namespace attune
