// `attune init`: hands out the shipped recipes as run files to start from, and translates those of other tools.
#include <algorithm>
#include <filesystem>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/cli/answer.h"
#include "attune/cli/verbs.h"
#include "attune/migrate/trl.h"
#include "attune/migrate/trl_keys.h"

namespace attune {
namespace {

// Beside the program after an installation, one level up in a build folder.
Path recipe_folder() {
  for (const char* place : {"recipes", "../recipes", "../share/attune/recipes"}) {
    const Path folder = Path(program_folder()) / place;
    if (std::filesystem::is_directory(folder)) return folder;
  }
  throw MissingInput({.file = program_folder()}, "no folder 'recipes' near the program");
}

// Recipes name their files as seen from the project's folder; what is handed out must work from anywhere.
std::string with_folder(std::string text, const Path& folder) {
  const std::string from = "recipes/", to = std::filesystem::canonical(folder).string() + "/";
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// A file's name, or the command line itself, which has spaces.
TrlSource source_of(const std::string& words) {
  if (words.find(' ') != std::string::npos && !std::filesystem::exists(words)) {
    return {.text = words, .file = "command line"};
  }
  return {.text = read_file(words), .file = words};
}

// The tables behind the translation, as rows: what docs/coming-from-trl.md is written from.
void answer_table(Answer& answer) {
  for (const TrlKey& key : trl_keys()) {
    Json trainers = Json::array();
    for (const TrlTrainer& trainer : trl_trainers()) {
      if (key.trainers.find(trainer.letter) != std::string_view::npos) trainers.push_back(trainer.name);
    }
    answer.row(Json::object({{"argument", key.name},
                             {"trainers", std::move(trainers)},
                             {"default", key.fallback},
                             {"fate", name(key.fate)},
                             {"key", key.target},
                             {"remark", key.remark}}));
  }
  for (const TrlLoss& loss : trl_losses()) {
    const auto trainer = std::find_if(trl_trainers().begin(), trl_trainers().end(),
                                      [&](const TrlTrainer& one) { return one.letter == loss.trainer; });
    answer.row(Json::object({{"loss", loss.name},
                             {"trainer", trainer->name},
                             {"objective", loss.objective},
                             {"reads", loss.options},
                             {"remark", loss.remark}}));
  }
}

void answer_recipe(Arguments& arguments, Answer& answer, const std::vector<std::string>& words) {
  const Path folder = recipe_folder();
  std::vector<std::string> names;
  for (const auto& file : list_directory(folder)) {
    if (file.ends_with(".yaml")) names.push_back(file.substr(0, file.size() - 5));
  }
  if (words.empty()) {
    for (const auto& name : names) answer.text(name + "\n");
  } else if (std::find(names.begin(), names.end(), words[0]) != names.end()) {
    answer.text(with_folder(read_file(folder / (words[0] + ".yaml")), folder));
  } else {
    arguments.fail("the unknown recipe '" + words[0] + "'", nearest(words[0], names));
  }
}

}  // namespace

int run_init(Arguments& arguments) {
  const auto out = arguments.option("--out");
  const auto from_trl = arguments.option("--from-trl");
  const auto trainer = arguments.option("--trainer");
  const std::int64_t devices = arguments.integer("--devices", 0);
  const bool lossy = arguments.flag("--lossy"), table = arguments.flag("--trl-table");
  const bool translates = from_trl || table;
  const auto words = arguments.rest(0, translates ? 0 : 1, translates ? "--from-trl FILE without a NAME" : "[NAME]");
  if (!from_trl && (trainer || devices != 0 || lossy))
    arguments.fail("options of --from-trl without it", "--from-trl FILE");
  if (devices < 0 || devices > 1000000) arguments.fail("--devices " + std::to_string(devices), "a number above 0");
  if (from_trl) {
    TrlSource source = source_of(*from_trl);
    source.trainer = trainer;
    if (devices > 0) source.devices = devices;
    const Translation translation = translate_trl(read_trl_command(source), lossy);
    Answer answer(out);
    answer.text(translation.text);
    answer.finish();
    return 0;
  }
  Answer answer(out);
  if (table) {
    answer_table(answer);
  } else {
    answer_recipe(arguments, answer, words);
  }
  answer.finish();
  return 0;
}

}  // namespace attune
