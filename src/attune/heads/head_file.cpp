#include "attune/heads/head_file.h"

#include <filesystem>

#include "attune/base/errors.h"
#include "attune/heads/reward_head.h"

namespace attune {

void save_head(Fs& fs, const Path& folder, const Json& config) {
  Json entries = Json::object();
  for (const std::string_view key : {std::string_view("id2label"), head_key}) {
    if (const Json* value = config.find(key)) entries.set(std::string(key), *value);
  }
  write_durably(fs, folder / head_file, entries.str(2) + "\n");
}

Json read_head(const Path& folder) {
  const Path path = folder / head_file;
  if (!std::filesystem::exists(path)) return Json::object();
  Json entries;
  try {
    entries = Json::parse(read_file(path));
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = path.string()}, "no valid JSON (" + error.reason + ")", "what a reward model's head is");
  }
  if (!entries.is_object()) throw FormatError({.file = path.string()}, "no object", "what a reward model's head is");
  return entries;
}

std::vector<std::string> labels_of(const Json& entries) {
  std::vector<std::string> labels;
  const Json* names = entries.find("id2label");
  for (std::size_t label = 0; names != nullptr && names->is_object() && label < names->size(); ++label) {
    const Json* name = names->find(std::to_string(label));
    if (name == nullptr || !name->is_string()) return {};
    labels.push_back(name->string());
  }
  return labels;
}

}  // namespace attune
