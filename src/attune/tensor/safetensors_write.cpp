#include <algorithm>
#include <cstdio>
#include <cstring>

#include "attune/base/errors.h"
#include "attune/tensor/safetensors.h"
#include "attune/tensor/stored_dtype.h"

namespace attune {
namespace {

struct DtypeName {
  std::string_view name;
  at::ScalarType dtype;
};
constexpr DtypeName dtype_names[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I64", at::kLong},
    {"I32", at::kInt},    {"I16", at::kShort}, {"I8", at::kChar},  {"U8", at::kByte},       {"BOOL", at::kBool},
};

constexpr std::size_t header_alignment = 8;

std::string header_of(const std::vector<NamedTensor>& tensors, const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  if (!metadata.empty()) {
    Json values = Json::object();
    for (const auto& [key, value] : metadata) values.set(key, value);
    header += "\"__metadata__\":" + values.str() + ",";
  }
  std::uint64_t at = 0;
  for (const auto& [name, values] : tensors) {
    Json shape = Json::array();
    for (const std::int64_t size : values.sizes()) shape.push_back(size);
    const std::uint64_t end = at + values.nbytes();
    header += json_quote(name) + ":{\"dtype\":\"" + std::string(stored_dtype_name(values.scalar_type())) +
              "\",\"shape\":" + shape.str() + ",\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(end) +
              "]},";
    at = end;
  }
  if (header.back() == ',') header.pop_back();
  header += '}';
  header.append((header_alignment - header.size() % header_alignment) % header_alignment, ' ');
  return header;
}

std::string shard_name(const std::string& stem, std::size_t index, std::size_t count) {
  char text[48];
  std::snprintf(text, sizeof text, "-%05zu-of-%05zu.safetensors", index + 1, count);
  return stem + text;
}

}  // namespace

std::optional<at::ScalarType> stored_dtype(std::string_view name) {
  for (const DtypeName& row : dtype_names) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::string_view stored_dtype_name(at::ScalarType dtype) {
  for (const DtypeName& row : dtype_names) {
    if (row.dtype == dtype) return row.name;
  }
  throw InternalError({}, "an element type that safetensors files do not hold");
}

std::string stored_dtype_names() {
  std::string result;
  for (const DtypeName& row : dtype_names) result += (result.empty() ? "" : ", ") + std::string(row.name);
  return result;
}

void write_safetensors(Fs& fs, const Path& path, std::vector<NamedTensor> tensors, const SafetensorsOptions& options) {
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    const auto sizes = std::pair(a.values.element_size(), b.values.element_size());
    return sizes.first != sizes.second ? sizes.first > sizes.second : a.name < b.name;
  });
  const std::string header = header_of(tensors, options.metadata);
  const std::uint64_t length = header.size();
  Path fresh = path;
  fresh += ".tmp";
  const auto file = fs.create(fresh);
  file->write({reinterpret_cast<const char*>(&length), sizeof length});
  file->write(header);
  for (const auto& [name, values] : tensors) {
    const Tensor dense = values.detach().to(at::kCPU).contiguous();  // one at a time
    file->write({static_cast<const char*>(dense.const_data_ptr()), dense.nbytes()});
  }
  file->sync();
  file->close();
  fs.rename(fresh, path);
  fs.sync_directory(path.has_parent_path() ? path.parent_path() : Path("."));
}

void write_safetensors_folder(Fs& fs, const Path& folder, std::vector<NamedTensor> tensors,
                              const SafetensorsOptions& options, const std::string& stem) {
  std::vector<std::vector<NamedTensor>> shards(1);
  std::uint64_t size = 0, total = 0;
  for (NamedTensor& tensor : tensors) {
    const std::uint64_t bytes = tensor.values.nbytes();
    if (!shards.back().empty() && size + bytes > options.shard_bytes) {
      shards.emplace_back();
      size = 0;
    }
    size += bytes;
    total += bytes;
    shards.back().push_back(std::move(tensor));
  }
  if (shards.size() == 1) {
    write_safetensors(fs, folder / (stem + ".safetensors"), std::move(shards[0]), options);
    return;
  }
  Json map = Json::object();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shard_name(stem, i, shards.size());
    for (const NamedTensor& tensor : shards[i]) map.members().emplace_back(tensor.name, name);
    write_safetensors(fs, folder / name, std::move(shards[i]), options);
  }
  const Json index = Json::object(
      {{"metadata", Json::object({{"total_size", static_cast<std::int64_t>(total)}})}, {"weight_map", std::move(map)}});
  write_durably(fs, folder / (stem + ".safetensors.index.json"), index.str(2) + "\n");
  fs.remove(folder / (stem + ".safetensors"));  // of an earlier save: readers prefer it to the index
}

}  // namespace attune
