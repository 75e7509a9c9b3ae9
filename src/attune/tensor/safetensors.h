// safetensors files: read without trusting them, written durably.
//
// Format: 8 bytes little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then the data.
// Everything in a header is checked with bounded work before any tensor is touched (github.com/huggingface/safetensors,
// "Format"). Errors are FormatError with the byte offset or the tensor's name; missing files MissingInput.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/tensor/torch.h"

namespace attune {

struct StoredTensor {
  std::string name = {};
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape = {};
  std::uint64_t begin = 0, end = 0;  // bytes in the data section
};

// One file, mapped. Holds no open file and no copy of the data.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const Path& path);

  const std::vector<StoredTensor>& tensors() const { return tensors_; }  // in order of their bytes
  const StoredTensor* find(std::string_view name) const;                 // nullptr when it is not there
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // The tensor on the mapped bytes, read-only and valid while this object lives; a copy when they are not aligned.
  Tensor view(const StoredTensor& tensor) const;
  const Path& path() const { return path_; }

 private:
  Path path_;
  MappedFile file_;
  std::string_view data_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

// The tensors of a folder: model.safetensors, or the shards that model.safetensors.index.json names (with `stem`
// instead of "model" where given). Shard names must be plain file names of that folder, and each shard must hold what
// the index says.
class SafetensorsFolder {
 public:
  explicit SafetensorsFolder(const Path& folder, const std::string& stem = "model");

  std::vector<std::string> names() const;  // sorted
  const StoredTensor* find(std::string_view name) const;
  Tensor view(std::string_view name) const;  // as SafetensorsFile::view; InternalError when it is not there
  const Path& file_of(std::string_view name) const;

 private:
  struct Entry {
    const SafetensorsFile* file = nullptr;
    const StoredTensor* tensor = nullptr;
  };
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Entry, std::less<>> entries_;
};

struct NamedTensor {
  std::string name = {};
  Tensor values = {};  // any strides, on any device
};

struct SafetensorsOptions {
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  std::uint64_t shard_bytes = 5'000'000'000;  // write_safetensors_folder starts a new file beyond it
};

// One file, whole or absent after a crash (temporary, fsync, rename). Tensors are ordered as the reference
// implementation does, by falling element size and then name, so equal contents give equal bytes.
void write_safetensors(Fs& fs, const Path& path, std::vector<NamedTensor> tensors,
                       const SafetensorsOptions& options = {});

// <stem>.safetensors, or shards <stem>-0000i-of-0000n.safetensors in the given order and their index
// (then an earlier <stem>.safetensors is removed last).
void write_safetensors_folder(Fs& fs, const Path& folder, std::vector<NamedTensor> tensors,
                              const SafetensorsOptions& options = {}, const std::string& stem = "model");

}  // namespace attune
