// A run directory: everything a run writes, laid out as docs/formats/run-directory.md says, locked while it is in use.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/train/run.h"

namespace attune {

class RunDirectory {
 public:
  // Makes a new one. Throws OutputError when it holds a run already, or another process uses it.
  static RunDirectory create(Fs& fs, RunFile& run);
  // Opens the directory of a stopped run. Throws MissingInput, FormatError, OutputError (in use).
  static RunDirectory open(Fs& fs, const Path& path);

  const Path& path() const { return path_; }
  Path checkpoints() const { return path_ / "checkpoints"; }
  Path stage_model(const std::string& stage) const { return path_ / "stages" / stage / "model"; }
  Path model() const { return path_ / "model"; }

  // One line of metrics.jsonl, log.jsonl; on the disk when this returns.
  void metrics(const Json& row);
  void log(const std::string& event, Json details = Json::object());
  // A resumed run writes the steps after its checkpoint again: lines of later steps are cut off.
  void forget_metrics_after(std::int64_t step);
  void samples(std::int64_t step, const std::vector<Json>& rows);

  Fs& fs() const { return *fs_; }

 private:
  RunDirectory(Fs& fs, Path path);
  void append(const std::string& file, const std::string& line);

  Fs* fs_;
  Path path_;
  std::unique_ptr<DirectoryLock> lock_;
};

// The run as its directory keeps it (run.yaml and the overrides in manifest.json).
RunFile reload_run(const Path& directory);

// Build, machine and threads: what a manifest says about where a run ran.
Json machine_facts();

}  // namespace attune
