// `attune merge`: an adapter into its base model's weights.
#include <filesystem>

#include "attune/base/errors.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/verbs.h"

namespace attune {

int run_merge(Arguments& arguments) {
  ModelChoice choice;
  choice.model = arguments.required("--model");
  choice.tokenizer = choice.model;
  choice.adapter = arguments.required("--adapter");
  const Path out = arguments.required("--out");
  arguments.rest(0, 0, "no plain words");
  if (std::filesystem::exists(out) && std::filesystem::equivalent(out, choice.model)) {
    throw OutputError({.file = out.string()}, "the base model's own folder", "another one");
  }
  LanguageModel model = LanguageModel::load(choice.model);
  model.load_adapter(*choice.adapter);
  model.merge_adapter();
  disk().make_directories(out);
  model.save(disk(), out);
  for (const char* name :
       {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"}) {
    const Path from = Path(choice.model) / name;
    if (std::filesystem::exists(from)) write_durably(disk(), out / name, read_file(from));
  }
  Answer answer;
  answer.text(out.string() + "\n");
  answer.finish();
  return 0;
}

}  // namespace attune
