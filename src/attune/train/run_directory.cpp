#include "attune/train/run_directory.h"

#include <sys/utsname.h>

#include "attune/base/clock.h"
#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/threads.h"
#include "attune/config/node.h"

namespace attune {
namespace {

constexpr const char* lock_file = ".lock";
constexpr const char* metrics_file = "metrics.jsonl";

Json parse_file(const Path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = path.string()}, "text that is no JSON: " + error.reason);
  }
}

}  // namespace

RunDirectory::RunDirectory(Fs& fs, std::unique_ptr<Place> place) : fs_(&fs), place_(std::move(place)) {}

RunDirectory::Place::~Place() {
  if (begun || !made || !lock) return;
  std::error_code ignored;
  std::filesystem::remove(path / lock_file, ignored);
  std::filesystem::remove(path, ignored);  // only when it is empty
}

RunDirectory RunDirectory::create(Fs& fs, const RunFile& run) {
  auto place = std::make_unique<Place>();
  place->path = run.out;
  if (std::filesystem::exists(place->path) && !std::filesystem::is_directory(place->path)) {
    throw OutputError({.file = run.out}, "a file where the run directory should be", "", "choose another `out`");
  }
  place->made = !std::filesystem::exists(place->path);
  fs.make_directories(place->path);
  place->lock = std::make_unique<DirectoryLock>(place->path);
  if (std::filesystem::exists(place->path / "manifest.json")) {
    throw OutputError({.file = run.out}, "a run directory that holds a run", "",
                      "go on with 'attune resume " + run.out + "', or choose another `out`");
  }
  return RunDirectory(fs, std::move(place));
}

RunDirectory RunDirectory::open(Fs& fs, const Path& path) {
  auto place = std::make_unique<Place>();
  place->path = path;
  place->begun = true;
  if (!std::filesystem::exists(path / "manifest.json")) {
    throw MissingInput({.file = path.string()}, "no run directory (manifest.json is not there)");
  }
  place->lock = std::make_unique<DirectoryLock>(path);
  return RunDirectory(fs, std::move(place));
}

void RunDirectory::begin(RunFile& run) {
  if (place_->begun) return;
  fs_->make_directories(checkpoints());
  write_durably(*fs_, path() / "run.yaml", run.text);
  write_durably(*fs_, path() / "resolved.yaml", to_yaml(save_run(run)));
  Json overrides = Json::array();
  for (const auto& text : run.overrides) overrides.push_back(text);
  const Json manifest = Json::object({{"format", "attune-run/1"},
                                      {"started", utc_timestamp()},
                                      {"run_file_hash", hash_hex(run.text)},
                                      {"verb", run.verb},
                                      {"overrides", std::move(overrides)},
                                      {"machine", machine_facts()}});
  write_durably(*fs_, path() / "manifest.json", manifest.str(2) + "\n");  // last: now it holds a run
  place_->begun = true;
}

void RunDirectory::append(const std::string& file, const std::string& line) {
  const auto out = fs_->create(path() / file, /*append=*/true);
  out->write(line);
  out->close();
}

void RunDirectory::metrics(const Json& row) { append(metrics_file, row.str() + "\n"); }

void RunDirectory::sync_metrics() {
  const auto file = fs_->create(path() / metrics_file, /*append=*/true);
  file->sync();
  file->close();
  fs_->sync_directory(path());
}

Json RunDirectory::last_metrics() const {
  if (!std::filesystem::exists(path() / metrics_file)) return {};
  std::string text = read_file(path() / metrics_file);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  try {
    return Json::parse(std::string_view(text).substr(text.rfind('\n') + 1));
  } catch (const JsonSyntaxError&) {
    return {};
  }
}

void RunDirectory::log(const std::string& event, Json details) {
  Json row = Json::object({{"time", utc_timestamp()}, {"event", event}});
  for (auto& [key, value] : details.members()) row.set(key, std::move(value));
  append("log.jsonl", row.str() + "\n");
}

void RunDirectory::forget_metrics_after(std::int64_t step) {
  const Path file = path() / metrics_file;
  if (!std::filesystem::exists(file)) return;
  const std::string text = read_file(file);
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
  write_durably(*fs_, file, kept);
}

void RunDirectory::samples(std::int64_t step, const std::vector<Json>& rows) {
  if (rows.empty()) return;
  fs_->make_directories(path() / "samples");
  std::string text;
  for (const Json& row : rows) text += row.str() + "\n";
  write_durably(*fs_, path() / "samples" / (std::to_string(step) + ".jsonl"), text);
}

void RunDirectory::profile(const Json& profile) { write_durably(*fs_, path() / "profile.json", profile.str() + "\n"); }

RunFile reload_run(const Path& directory) {
  const Json manifest = parse_file(directory / "manifest.json");
  std::vector<std::string> overrides;
  if (const Json* list = manifest.find("overrides"); list != nullptr && list->is_array()) {
    for (const Json& text : list->items()) overrides.push_back(text.string());
  }
  const Path file = directory / "run.yaml";
  std::string text = read_file(file);
  if (const Json* hash = manifest.find("run_file_hash"); hash == nullptr || *hash != Json(hash_hex(text))) {
    throw ConfigError({.file = file.string()}, "another text than the run began with", "",
                      "undo the change, or start a new run with it");
  }
  const Json* verb = manifest.find("verb");
  RunFile run =
      parse_run(std::move(text), file.string(), overrides, verb != nullptr && verb->is_string() ? verb->string() : "");
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
