#include "attune/train/run_directory.h"

#include <sys/utsname.h>

#include "attune/base/clock.h"
#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/threads.h"
#include "attune/config/node.h"

namespace attune {
namespace {

Json parse_file(const Path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = path.string()}, "text that is no JSON: " + error.reason);
  }
}

}  // namespace

RunDirectory::RunDirectory(Fs& fs, Path path) : fs_(&fs), path_(std::move(path)) {}

RunDirectory RunDirectory::create(Fs& fs, RunFile& run) {
  RunDirectory directory(fs, run.out);
  if (std::filesystem::exists(directory.path_) && !std::filesystem::is_directory(directory.path_)) {
    throw OutputError({.file = run.out}, "a file where the run directory should be", "", "choose another `out`");
  }
  fs.make_directories(directory.checkpoints());
  directory.lock_ = std::make_unique<DirectoryLock>(directory.path_);
  if (std::filesystem::exists(directory.path_ / "manifest.json")) {
    throw OutputError({.file = run.out}, "a run directory that holds a run", "",
                      "go on with 'attune resume " + run.out + "', or choose another `out`");
  }
  write_durably(fs, directory.path_ / "run.yaml", run.text);
  write_durably(fs, directory.path_ / "resolved.yaml", to_yaml(save_run(run)));
  Json overrides = Json::array();
  for (const auto& text : run.overrides) overrides.push_back(text);
  Json manifest = Json::object({{"format", "attune-run/1"},
                                {"started", utc_timestamp()},
                                {"run_file_hash", hash_hex(run.text)},
                                {"overrides", std::move(overrides)},
                                {"machine", machine_facts()}});
  write_durably(fs, directory.path_ / "manifest.json", manifest.str(2) + "\n");
  return directory;
}

RunDirectory RunDirectory::open(Fs& fs, const Path& path) {
  RunDirectory directory(fs, path);
  if (!std::filesystem::exists(path / "manifest.json")) {
    throw MissingInput({.file = path.string()}, "no run directory (manifest.json is not there)");
  }
  directory.lock_ = std::make_unique<DirectoryLock>(path);
  return directory;
}

void RunDirectory::append(const std::string& file, const std::string& line) {
  const auto out = fs_->create(path_ / file, /*append=*/true);
  out->write(line);
  out->close();
}

void RunDirectory::metrics(const Json& row) { append("metrics.jsonl", row.str() + "\n"); }

void RunDirectory::log(const std::string& event, Json details) {
  Json row = Json::object({{"time", utc_timestamp()}, {"event", event}});
  for (auto& [key, value] : details.members()) row.set(key, std::move(value));
  append("log.jsonl", row.str() + "\n");
}

void RunDirectory::forget_metrics_after(std::int64_t step) {
  const Path path = path_ / "metrics.jsonl";
  if (!std::filesystem::exists(path)) return;
  const std::string text = read_file(path);
  std::string kept;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // a line the stop cut short
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    try {
      const Json row = Json::parse(line);
      const Json* at = row.find("step");
      if (at != nullptr && at->is_integer() && at->integer() <= step) kept += std::string(line) + "\n";
    } catch (const JsonSyntaxError&) {
      break;
    }
  }
  write_durably(*fs_, path, kept);
}

void RunDirectory::samples(std::int64_t step, const std::vector<Json>& rows) {
  if (rows.empty()) return;
  fs_->make_directories(path_ / "samples");
  std::string text;
  for (const Json& row : rows) text += row.str() + "\n";
  write_durably(*fs_, path_ / "samples" / (std::to_string(step) + ".jsonl"), text);
}

RunFile reload_run(const Path& directory) {
  const Json manifest = parse_file(directory / "manifest.json");
  std::vector<std::string> overrides;
  if (const Json* list = manifest.find("overrides"); list != nullptr && list->is_array()) {
    for (const Json& text : list->items()) overrides.push_back(text.string());
  }
  RunFile run = parse_run(read_file(directory / "run.yaml"), (directory / "run.yaml").string(), overrides, "");
  run.out = directory.string();
  return run;
}

Json machine_facts() {
  utsname names{};
  ::uname(&names);
  return Json::object({{"version", ATTUNE_VERSION},
                       {"system", std::string(names.sysname) + " " + names.release},
                       {"architecture", names.machine},
                       {"threads", thread_count()}});
}

}  // namespace attune
