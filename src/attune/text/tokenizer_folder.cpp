#include "attune/text/tokenizer_folder.h"

#include <optional>

namespace attune {
namespace {

constexpr const char* usual_names[] = {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"};

// The name with this ending that the folder has, if it has one only.
std::optional<std::string> only_one(const Path& folder, std::string_view ending) {
  std::optional<std::string> found;
  for (const std::string& name : list_directory(folder)) {
    if (!name.ends_with(ending)) continue;
    if (found) return std::nullopt;
    found = name;
  }
  return found;
}

}  // namespace

Path tokenizer_file_of(const Path& folder_or_file) {
  if (!std::filesystem::is_directory(folder_or_file)) return folder_or_file;
  for (const char* name : usual_names) {
    if (std::filesystem::exists(folder_or_file / name)) return folder_or_file / name;
  }
  for (const char* ending : {".tiktoken", ".gguf"}) {
    if (const auto name = only_one(folder_or_file, ending)) return folder_or_file / *name;
  }
  return folder_or_file / "tokenizer.json";
}

void copy_tokenizer_files(Fs& fs, const Path& from, const Path& to) {
  if (std::filesystem::exists(to) && std::filesystem::equivalent(from, to)) return;
  const auto copy = [&](const std::string& name) {
    if (std::filesystem::exists(from / name)) write_durably(fs, to / name, read_file(from / name));
  };
  for (const char* name : usual_names) copy(name);
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"}) copy(name);
  if (const auto ranks = only_one(from, ".tiktoken")) copy(*ranks);
}

}  // namespace attune
