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

Json facts_of(const Path& file) {
  const MappedFile mapped(file);
  return Json::object({{"bytes", mapped.bytes().size()}, {"hash", hash_hex(mapped.bytes())}});
}

Json parse_file(const Path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = path.string()}, "a damaged file: " + error.reason);
  }
}

void verify(const Path& directory) {
  const Json manifest = parse_file(directory / manifest_file);
  const Json* files = manifest.find("files");
  if (files == nullptr || !files->is_object()) {
    throw FormatError({.file = (directory / manifest_file).string()}, "a manifest without files");
  }
  for (const char* name : {state_file, tensor_file}) {
    const Json* expected = files->find(name);
    const Path path = directory / name;
    if (expected == nullptr) throw FormatError({.file = path.string()}, "a file that the manifest does not list");
    if (facts_of(path) != *expected) {
      throw FormatError({.file = path.string()}, "other bytes than were saved", "the size and hash of manifest.json",
                        "go on from an earlier checkpoint");
    }
  }
}

}  // namespace

void save_checkpoint(Fs& fs, const Path& folder, std::int64_t step, const CheckpointContent& content, int keep) {
  const Path fresh = folder / (".tmp-" + std::to_string(step));
  const Path place = folder / std::to_string(step);
  fs.remove(fresh);  // what a stop left behind
  fs.make_directories(fresh);
  write_durably(fs, fresh / state_file, content.state.str(2) + "\n");
  write_safetensors(fs, fresh / tensor_file, content.tensors);
  Json files = Json::object();
  for (const char* name : {state_file, tensor_file}) files.set(name, facts_of(fresh / name));
  const Json manifest = Json::object({{"format", "attune-checkpoint/1"}, {"step", step}, {"files", std::move(files)}});
  write_durably(fs, fresh / manifest_file, manifest.str(2) + "\n");
  fs.remove(place);  // a damaged one of the same step; the run is just at this step, so nothing else needs it
  fs.rename(fresh, place);
  fs.sync_directory(folder);
  fs.link(Path("checkpoints") / std::to_string(step), folder.parent_path() / "latest");
  const auto steps = steps_in(folder);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < steps.size(); ++i) {
    fs.remove(folder / std::to_string(steps[i]));
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
  verify(directory);
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
