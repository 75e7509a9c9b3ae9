#include "attune/train/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "attune/base/errors.h"
#include "attune/base/hash.h"

namespace attune {
namespace {

constexpr const char* state_file = "state.json";
constexpr const char* tensor_file = "state.safetensors";
constexpr const char* manifest_file = "manifest.json";
constexpr const char* temporary = ".tmp-";  // what no reader looks at
constexpr const char* format = "attune-checkpoint/1";
constexpr const char* use_another = "go on from another checkpoint";

// Steps that have a directory, oldest first.
std::vector<std::int64_t> steps_in(const Path& folder) {
  std::vector<std::int64_t> steps;
  if (!std::filesystem::is_directory(folder)) return steps;
  for (const auto& name : list_directory(folder)) {
    std::int64_t step = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
    if (error == std::errc{} && end == name.data() + name.size()) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

Json parse_file(const Path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = path.string()}, "a damaged file: " + error.reason);
  }
}

// Every byte of the manifest follows from the step and the files, so that comparing it with the text that stands there
// finds each change of either.
std::string manifest_text(const Path& directory, std::int64_t step) {
  Json files = Json::object();
  for (const char* name : {state_file, tensor_file}) {
    const MappedFile mapped(directory / name);
    files.set(name, Json::object({{"bytes", mapped.bytes().size()}, {"hash", hash_hex(mapped.bytes())}}));
  }
  return Json::object({{"format", format}, {"step", step}, {"files", std::move(files)}}).str(2) + "\n";
}

// Which file of a checkpoint whose manifest says other than its files do: the manifest itself when it cannot be read or
// agrees about both of them.
Path damaged_file(const Path& directory, const std::string& written, const std::string& expected) {
  try {
    const Json was = Json::parse(written), is = Json::parse(expected);
    for (const auto& [name, facts] : is.find("files")->members()) {
      const Json* files = was.find("files");
      const Json* before = files != nullptr ? files->find(name) : nullptr;
      if (before != nullptr && *before != facts) return directory / name;
    }
  } catch (const JsonSyntaxError&) {
  }
  return directory / manifest_file;
}

void verify(const Path& directory, std::int64_t step) {
  for (const char* name : {manifest_file, state_file, tensor_file}) {
    if (!std::filesystem::is_regular_file(directory / name)) {
      throw FormatError({.file = (directory / name).string()}, "no such file in the checkpoint", "", use_another);
    }
  }
  const std::string written = read_file(directory / manifest_file);
  const std::string expected = manifest_text(directory, step);
  if (written != expected) {
    throw FormatError({.file = damaged_file(directory, written, expected).string()}, "other bytes than were saved",
                      "the sizes and hashes of manifest.json", use_another);
  }
}

// What stopped saves and removals left behind, of any step.
void remove_leftovers(Fs& fs, const Path& folder) {
  if (!std::filesystem::is_directory(folder)) return;
  for (const auto& name : list_directory(folder)) {
    if (name.starts_with(temporary)) fs.remove(folder / name);
  }
}

// Moved out of the way first: what has a step for its name is whole at every moment.
void remove_checkpoint(Fs& fs, const Path& folder, std::int64_t step) {
  const Path aside = folder / (temporary + std::string("old-") + std::to_string(step));
  fs.rename(folder / std::to_string(step), aside);
  fs.remove(aside);
}

void write_files(Fs& fs, const Path& directory, std::int64_t step, const CheckpointContent& content) {
  fs.make_directories(directory);
  write_durably(fs, directory / state_file, content.state.str(2) + "\n");
  write_safetensors(fs, directory / tensor_file, content.tensors);
  write_durably(fs, directory / manifest_file, manifest_text(directory, step));
}

// The step that FOLDER/../best points to, as text; empty when there is none.
std::string best_checkpoint(const Path& folder) {
  std::error_code none;
  const Path target = std::filesystem::read_symlink(folder.parent_path() / "best", none);
  return none ? std::string() : target.filename().string();
}

}  // namespace

void link_best(Fs& fs, const Path& folder, std::int64_t step) {
  fs.link(Path("checkpoints") / std::to_string(step), folder.parent_path() / "best");
  fs.sync_directory(folder.parent_path());
}

void save_checkpoint(Fs& fs, const Path& folder, std::int64_t step, const CheckpointContent& content, int keep) {
  const Path fresh = folder / (temporary + std::to_string(step));
  const Path place = folder / std::to_string(step);
  remove_leftovers(fs, folder);
  try {
    write_files(fs, fresh, step, content);
  } catch (const Error&) {
    try {
      fs.remove(fresh);  // on a full disk it is only in the way
    } catch (const Error&) {
    }
    throw;
  }
  // One of the same step is damaged, or of the same run going that way again after `resume --from`: an earlier one is
  // there.
  if (std::filesystem::exists(place)) remove_checkpoint(fs, folder, step);
  fs.rename(fresh, place);
  fs.sync_directory(folder);
  fs.link(Path("checkpoints") / std::to_string(step), folder.parent_path() / "latest");
  fs.sync_directory(folder.parent_path());
  // Later steps are damaged or another way on: they count neither as kept nor as too old.
  auto steps = steps_in(folder);
  const std::string best = best_checkpoint(folder);
  std::erase_if(steps, [&](std::int64_t other) { return other > step || std::to_string(other) == best; });
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < steps.size(); ++i) {
    remove_checkpoint(fs, folder, steps[i]);
  }
}

Tensor Checkpoint::tensor(const std::string& name) const {
  const StoredTensor* stored = tensors->find(name);
  if (stored == nullptr) throw FormatError({.file = tensors->path().string()}, "no tensor '" + name + "'");
  return tensors->view(*stored).clone();
}

Checkpoint load_checkpoint(const Path& folder, std::int64_t step) {
  const Path directory = folder / std::to_string(step);
  if (!std::filesystem::is_directory(directory)) throw MissingInput({.file = directory.string()}, "no such checkpoint");
  verify(directory, step);
  return {step, parse_file(directory / state_file), std::make_shared<SafetensorsFile>(directory / tensor_file)};
}

NewestCheckpoint newest_checkpoint(const Path& folder) {
  NewestCheckpoint result;
  auto steps = steps_in(folder);
  for (auto step = steps.rbegin(); step != steps.rend() && !result.checkpoint; ++step) {
    try {
      result.checkpoint = load_checkpoint(folder, *step);
    } catch (const Error& error) {
      result.damaged.push_back(error.what());
    }
  }
  return result;
}

}  // namespace attune
