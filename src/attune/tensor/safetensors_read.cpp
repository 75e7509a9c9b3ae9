#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

#include "attune/base/errors.h"
#include "attune/tensor/safetensors.h"
#include "attune/tensor/stored_dtype.h"

namespace attune {
namespace {

constexpr std::uint64_t length_bytes = 8;
constexpr std::uint64_t longest_header = 100'000'000;  // the reference implementation's limit
constexpr std::ptrdiff_t most_tensors = 100'000;       // a file; keeps hostile headers cheap
constexpr std::size_t most_dimensions = 16;

std::string quote_name(std::string_view name) { return json_quote(name.substr(0, 200)); }

// Reads one file's header. Each function throws on the first thing that is wrong, naming the tensor.
class HeaderReader {
 public:
  HeaderReader(const Path& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

  void read() {
    const std::string_view text = header_text();
    data_size_ = bytes_.size() - length_bytes - text.size();
    const Json header = parse(text);
    std::map<std::string_view, std::size_t> seen;
    for (const auto& [name, value] : header.members()) {
      if (name == "__metadata__") {
        read_metadata(value);
        continue;
      }
      tensors_.push_back(read_tensor(name, value));
      const auto [first, fresh] = seen.emplace(name, tensors_.size() - 1);
      if (!fresh) {
        const StoredTensor& other = tensors_[first->second];
        fail(name, "a tensor that is listed twice, at bytes " + std::to_string(other.begin) + " and " +
                       std::to_string(tensors_.back().begin));
      }
    }
    check_layout();
  }

  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
  std::uint64_t data_size_ = 0;

 private:
  [[noreturn]] void fail_at(std::int64_t offset, const std::string& found, const std::string& expected) const {
    throw FormatError({.file = path_.string(), .offset = offset}, found, expected, "fetch the file again");
  }
  [[noreturn]] void fail(std::string_view tensor, const std::string& found, const std::string& expected = "") const {
    throw FormatError({.file = path_.string(), .field = "tensor " + quote_name(tensor)}, found, expected,
                      "fetch the file again");
  }

  std::string_view header_text() const {
    if (bytes_.size() < length_bytes) {
      fail_at(0, "a file of " + std::to_string(bytes_.size()) + " bytes", "a safetensors header");
    }
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), length_bytes);
    if (length > longest_header) {
      fail_at(0, "a header of " + std::to_string(length) + " bytes", "at most " + std::to_string(longest_header));
    }
    if (length > bytes_.size() - length_bytes) {
      fail_at(0, "a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(bytes_.size()),
              "a header inside the file");
    }
    const std::string_view text = bytes_.substr(length_bytes, length);
    if (text.empty() || text.front() != '{') fail_at(length_bytes, "a header that is no JSON object", "{");
    if (std::count(text.begin(), text.end(), '{') > most_tensors + 2) {
      fail_at(length_bytes, "a header of more than " + std::to_string(most_tensors) + " tensors", "fewer, in shards");
    }
    return text;
  }

  Json parse(std::string_view text) const {
    try {
      return Json::parse(text);
    } catch (const JsonSyntaxError& error) {
      fail_at(length_bytes, "a header that is no valid JSON (" + error.reason + ")", "a safetensors header");
    }
  }

  void read_metadata(const Json& value) {
    if (!value.is_object()) fail("__metadata__", std::string(value.type_name()), "an object of strings");
    for (const auto& [key, text] : value.members()) {
      if (!text.is_string()) fail("__metadata__", std::string(text.type_name()), "strings only");
      metadata_[key] = text.string();
    }
  }

  const Json& member(std::string_view tensor, const Json& value, std::string_view key) const {
    const Json* found = value.find(key);
    if (found == nullptr) fail(tensor, "no " + std::string(key));
    return *found;
  }

  std::vector<std::uint64_t> numbers(std::string_view tensor, const Json& list, std::string_view what) const {
    if (!list.is_array())
      fail(tensor, std::string(list.type_name()) + " as " + std::string(what), "a list of integers");
    std::vector<std::uint64_t> result;
    for (const Json& item : list.items()) {
      if (!item.is_integer() || item.integer() < 0) {
        fail(tensor, item.str() + " in " + std::string(what), "integers from 0 to 2^63 - 1");
      }
      result.push_back(static_cast<std::uint64_t>(item.integer()));
    }
    return result;
  }

  StoredTensor read_tensor(const std::string& name, const Json& value) const {
    if (!value.is_object()) fail(name, std::string(value.type_name()), "an object");
    const Json& dtype = member(name, value, "dtype");
    const std::optional<at::ScalarType> type = dtype.is_string() ? stored_dtype(dtype.string()) : std::nullopt;
    if (!type) fail(name, "dtype " + dtype.str().substr(0, 40), "one of " + stored_dtype_names());
    const auto shape = numbers(name, member(name, value, "shape"), "shape");
    if (shape.size() > most_dimensions) fail(name, std::to_string(shape.size()) + " dimensions", "at most 16");
    std::uint64_t size = c10::elementSize(*type);
    for (const std::uint64_t extent : shape) {
      if (__builtin_mul_overflow(size, extent, &size)) fail(name, "a shape whose size overflows 64 bits");
    }
    const auto offsets = numbers(name, member(name, value, "data_offsets"), "data_offsets");
    if (offsets.size() != 2) fail(name, std::to_string(offsets.size()) + " data_offsets", "2");
    if (offsets[0] > offsets[1]) fail(name, "data_offsets that run backwards");
    if (offsets[1] > data_size_) {
      fail(name, "bytes up to " + std::to_string(offsets[1]), "at most the data's " + std::to_string(data_size_));
    }
    if (offsets[1] - offsets[0] != size) {
      fail(name, std::to_string(offsets[1] - offsets[0]) + " bytes of data",
           std::to_string(size) + " for its shape in " + dtype.string());
    }
    return {name, *type, {shape.begin(), shape.end()}, offsets[0], offsets[1]};
  }

  // The tensors cover the data section exactly: no overlap, no hole, nothing after the last.
  void check_layout() {
    std::sort(tensors_.begin(), tensors_.end(), [](const StoredTensor& a, const StoredTensor& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::uint64_t at = 0;
    const StoredTensor* previous = nullptr;
    for (const StoredTensor& tensor : tensors_) {
      if (tensor.begin != at) {
        const std::string after = previous != nullptr ? " after tensor " + quote_name(previous->name) : "";
        fail(tensor.name,
             (tensor.begin < at ? "an overlap at byte " : "a hole before byte ") + std::to_string(tensor.begin) + after,
             "data from byte " + std::to_string(at));
      }
      at = tensor.end;
      previous = &tensor;
    }
    if (at != data_size_) {
      fail_at(static_cast<std::int64_t>(bytes_.size() - (data_size_ - at)),
              std::to_string(data_size_ - at) + " bytes after the last tensor", "the end of the file");
    }
  }

  const Path& path_;
  std::string_view bytes_;
};

bool plain_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

// tensor name -> shard, from an index file.
std::vector<std::pair<std::string, std::string>> read_index(const Path& path) {
  Json index;
  try {
    index = Json::parse(read_file(path));
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = path.string()}, "no valid JSON (" + error.reason + ")", "a safetensors index");
  }
  const Json* map = index.find("weight_map");
  if (map == nullptr || !map->is_object()) {
    throw FormatError({.file = path.string(), .field = "weight_map"}, "no object", "tensor names and their files");
  }
  std::vector<std::pair<std::string, std::string>> result;
  std::set<std::string_view> seen;
  for (const auto& [name, shard] : map->members()) {
    const Where where{.file = path.string(), .field = "weight_map." + quote_name(name)};
    if (!shard.is_string() || !plain_file_name(shard.string())) {
      throw FormatError(where, shard.is_string() ? "a shard outside the folder" : std::string(shard.type_name()),
                        "a file name of this folder");
    }
    if (!seen.insert(name).second) throw FormatError(where, "a tensor that is listed twice");
    result.emplace_back(name, shard.string());
  }
  return result;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const Path& path) : path_(path), file_(path) {
  HeaderReader header(path_, file_.bytes());
  header.read();
  tensors_ = std::move(header.tensors_);
  metadata_ = std::move(header.metadata_);
  data_ = file_.bytes().substr(file_.bytes().size() - header.data_size_);
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found != index_.end() ? &tensors_[found->second] : nullptr;
}

Tensor SafetensorsFile::view(const StoredTensor& tensor) const {
  const char* bytes = data_.data() + tensor.begin;
  const auto options = at::TensorOptions(tensor.dtype);
  if (reinterpret_cast<std::uintptr_t>(bytes) % c10::elementSize(tensor.dtype) == 0) {
    return at::from_blob(const_cast<char*>(bytes), tensor.shape, options);
  }
  const Tensor copy = at::empty(tensor.shape, options);
  std::memcpy(copy.mutable_data_ptr(), bytes, tensor.end - tensor.begin);
  return copy;
}

SafetensorsFolder::SafetensorsFolder(const Path& folder, const std::string& stem) {
  const Path index_path = folder / (stem + ".safetensors.index.json");
  const Path single = folder / (stem + ".safetensors");
  if (!std::filesystem::exists(index_path) || std::filesystem::exists(single)) {
    files_.push_back(std::make_unique<SafetensorsFile>(single));
    for (const StoredTensor& tensor : files_[0]->tensors()) entries_[tensor.name] = {files_[0].get(), &tensor};
    return;
  }
  std::map<std::string, const SafetensorsFile*> shards;
  for (const auto& [name, shard] : read_index(index_path)) {
    const SafetensorsFile*& file = shards[shard];
    if (file == nullptr) {
      files_.push_back(std::make_unique<SafetensorsFile>(folder / shard));
      file = files_.back().get();
    }
    const StoredTensor* tensor = file->find(name);
    if (tensor == nullptr) {
      throw FormatError({.file = file->path().string(), .field = "tensor " + quote_name(name)},
                        "no such tensor, though " + index_path.filename().string() + " says so");
    }
    entries_[name] = {file, tensor};
  }
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> result;
  for (const auto& [name, entry] : entries_) result.push_back(name);
  return result;
}

const StoredTensor* SafetensorsFolder::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() ? found->second.tensor : nullptr;
}

Tensor SafetensorsFolder::view(std::string_view name) const {
  const auto found = entries_.find(name);
  require(found != entries_.end(), "a tensor that the folder lacks");
  return found->second.file->view(*found->second.tensor);
}

const Path& SafetensorsFolder::file_of(std::string_view name) const {
  const auto found = entries_.find(name);
  require(found != entries_.end(), "a tensor that the folder lacks");
  return found->second.file->path();
}

}  // namespace attune
