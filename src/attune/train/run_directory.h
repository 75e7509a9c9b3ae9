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
  // Takes the place for a new run. Until begin() nothing is written, and the directory disappears again if it was not
  // there before. Throws OutputError when it holds a run already, or another process uses it.
  static RunDirectory create(Fs& fs, const RunFile& run);
  // Opens the directory of a stopped run. Throws MissingInput, OutputError (in use).
  static RunDirectory open(Fs& fs, const Path& path);

  // Writes what a resume needs; from here on the directory holds a run. Does nothing when it does already.
  void begin(RunFile& run);

  const Path& path() const { return place_->path; }
  Path checkpoints() const { return path() / "checkpoints"; }
  Path stage_model(const std::string& stage) const { return path() / "stages" / stage / "model"; }
  Path model() const { return path() / "model"; }

  // One line of metrics.jsonl, log.jsonl: another process sees it when this returns.
  void metrics(const Json& row);
  void sync_metrics();        // the lines so far survive a power loss
  Json last_metrics() const;  // the last line's row, null when there is none
  void log(const std::string& event, Json details = Json::object());
  // A resumed run writes the steps after its checkpoint again: lines of later steps are cut off.
  void forget_metrics_after(std::int64_t step);
  void profile(const Json& profile);  // profile.json: where the time of the last stage's steps went
  void samples(std::int64_t step, const std::vector<Json>& rows);

  Fs& fs() const { return *fs_; }

 private:
  // The locked directory, given back when nothing has begun in it.
  struct Place {
    Path path = {};
    bool made = false;   // by this run
    bool begun = false;  // holds a run
    std::unique_ptr<DirectoryLock> lock = {};
    ~Place();
  };

  RunDirectory(Fs& fs, std::unique_ptr<Place> place);
  void append(const std::string& file, const std::string& line);

  Fs* fs_;
  std::unique_ptr<Place> place_;
};

// The run as its directory keeps it (run.yaml; verb and overrides in manifest.json).
RunFile reload_run(const Path& directory);

// Build, machine and threads: what a manifest says about where a run ran.
Json machine_facts();

}  // namespace attune
