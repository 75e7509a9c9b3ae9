#include "attune/cli_torch/load.h"

#include <filesystem>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/base/threads.h"
#include "attune/tensor/allocator.h"

namespace attune {
namespace {

std::string base_of_adapter(const Path& folder) {
  const Path file = folder / "adapter_config.json";
  try {
    const Json config = Json::parse(read_file(file));
    const Json* base = config.find("base_model_name_or_path");
    if (base != nullptr && base->is_string() && std::filesystem::is_directory(base->string())) return base->string();
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = file.string()}, "no JSON: " + error.reason);
  }
  throw MissingInput({.file = file.string(), .field = "base_model_name_or_path"}, "no folder of a base model there", "",
                     "give --model BASE --adapter " + folder.string());
}

}  // namespace

ModelChoice model_named(const std::string& folder) {
  ModelChoice choice{.model = folder, .tokenizer = folder};
  const Path path = folder;
  if (std::filesystem::exists(path / "adapter_config.json") && !std::filesystem::exists(path / "config.json")) {
    choice.adapter = folder;
    choice.model = base_of_adapter(path);
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
  return choice;
}

LanguageModel load_choice(const ModelChoice& choice, const Tokenizer& tokenizer) {
  install_caching_allocator();
  at::set_num_threads(thread_count());
  require_vocabulary(read_model_config(choice.model), tokenizer.vocabulary_size(), choice.tokenizer);
  LanguageModel model = LanguageModel::load(choice.model);
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
