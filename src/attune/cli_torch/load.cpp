#include "attune/cli_torch/load.h"

#include "attune/base/threads.h"
#include "attune/tensor/allocator.h"

namespace attune {

ModelChoice model_choice(Arguments& arguments) {
  ModelChoice choice;
  choice.model = arguments.required("--model");
  choice.tokenizer = arguments.option("--tokenizer").value_or(choice.model);
  choice.adapter = arguments.option("--adapter");
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

}  // namespace attune
