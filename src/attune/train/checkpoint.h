// Checkpoints: whole or not there. A checkpoint directory is complete if and only if its manifest exists and every file
// has the size and hash that it says; the manifest is written last and the directory renamed into place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/tensor/safetensors.h"

namespace attune {

struct CheckpointContent {
  Json state = Json::object();  // counters and settings that a resume is held against
  std::vector<NamedTensor> tensors = {};
};

// Writes FOLDER/STEP, points FOLDER/../latest at it, then removes all up to this step but the newest `keep` (at least
// 1) and the one that `best` points to. Whenever it stops, be it by an error or a power loss, the newest checkpoint
// that verifies is the one before or this one, and `latest` never points to a torn one. Throws IoError,
// PermissionError, OutputError.
void save_checkpoint(Fs& fs, const Path& folder, std::int64_t step, const CheckpointContent& content, int keep);

// Points FOLDER/../best at the checkpoint of that step.
void link_best(Fs& fs, const Path& folder, std::int64_t step);

// A checkpoint that verified.
struct Checkpoint {
  std::int64_t step = 0;
  Json state = {};
  std::shared_ptr<SafetensorsFile> tensors = {};
  // A copy of the tensor; FormatError when it is missing.
  Tensor tensor(const std::string& name) const;
};

// The checkpoint of that step. Throws MissingInput, FormatError naming the damaged file.
Checkpoint load_checkpoint(const Path& folder, std::int64_t step);

// The newest one that verifies; damaged ones are passed over and named in `damaged`. Empty when there is none.
struct NewestCheckpoint {
  std::optional<Checkpoint> checkpoint = {};
  std::vector<std::string> damaged = {};
};
NewestCheckpoint newest_checkpoint(const Path& folder);

}  // namespace attune
