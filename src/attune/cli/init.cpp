// `attune init`: hands out the shipped recipes as run files to start from.
#include <algorithm>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/cli/answer.h"
#include "attune/cli/verbs.h"

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

}  // namespace

int run_init(Arguments& arguments) {
  const auto out = arguments.option("--out");
  const auto words = arguments.rest(0, 1, "[NAME]");
  const Path folder = recipe_folder();
  std::vector<std::string> names;
  for (const auto& file : list_directory(folder)) {
    if (file.ends_with(".yaml")) names.push_back(file.substr(0, file.size() - 5));
  }
  Answer answer(out);
  if (words.empty()) {
    for (const auto& name : names) answer.text(name + "\n");
  } else if (std::find(names.begin(), names.end(), words[0]) != names.end()) {
    answer.text(with_folder(read_file(folder / (words[0] + ".yaml")), folder));
  } else {
    arguments.fail("the unknown recipe '" + words[0] + "'", nearest(words[0], names));
  }
  answer.finish();
  return 0;
}

}  // namespace attune
