#include "attune/data/columnar.h"

#include <dlfcn.h>

#include <array>
#include <span>
#include <string>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr const char* library_name = "libattune_arrow.so";

// Beside the program, or one folder above it (where the build keeps the tests' programs). Null where the build has
// none.
ColumnarHalf open_half() {
  const Path program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (const Path& folder : {program, program.parent_path()}) {
    const Path library = folder / library_name;
    std::error_code ignored;
    if (!std::filesystem::exists(library, ignored)) continue;
    void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      throw InternalError({.file = library.string()}, std::string("a library that does not open: ") + ::dlerror(), "",
                          "run 'make build' again");
    }
    const auto entry = reinterpret_cast<ColumnarEntry>(::dlsym(handle, columnar_entry_name));
    require(entry != nullptr, "the library for Parquet and Arrow has no entry");
    return entry();
  }
  return {};
}

const ColumnarHalf& half(const Path& file) {
  static const ColumnarHalf opened = open_half();
  if (opened.open == nullptr) {
    throw DataError({.file = file.string()}, "a Parquet or Arrow file, and this build has no Arrow",
                    ".jsonl, .json, .csv or .tsv", "convert it first, or build attune with Arrow");
  }
  return opened;
}

std::string first_bytes(const Path& path) {
  InputFile file(path);
  std::array<char, 8> bytes = {};
  std::size_t size = 0;
  while (size < bytes.size()) {
    const std::size_t got = file.read(std::span(bytes).subspan(size));
    if (got == 0) break;
    size += got;
  }
  return {bytes.data(), size};
}

}  // namespace

std::optional<ColumnarKind> columnar_kind_named(const Path& path) {
  const Path end = path.extension();
  if (end == ".parquet") return ColumnarKind::parquet;
  if (end == ".arrow" || end == ".feather" || end == ".ipc") return ColumnarKind::arrow_file;
  if (end == ".arrows") return ColumnarKind::arrow_stream;
  return std::nullopt;
}

std::optional<ColumnarKind> columnar_kind(const Path& path) {
  if (path == "-") return std::nullopt;
  const std::string head = first_bytes(path);
  if (head.starts_with("PAR1")) return ColumnarKind::parquet;
  if (head.starts_with("ARROW1")) return ColumnarKind::arrow_file;
  if (head.starts_with("\xFF\xFF\xFF\xFF")) return ColumnarKind::arrow_stream;
  if (head.starts_with("PARE")) {
    throw DataError({.file = path.string()}, "encrypted Parquet data", "Parquet data without encryption");
  }
  if (head.starts_with("FEA1")) {
    throw DataError({.file = path.string()}, "the first version of Feather", "Feather of version 2, or Parquet",
                    "write it again with pyarrow.feather.write_feather");
  }
  if (const auto named = columnar_kind_named(path)) {
    throw DataError({.file = path.string()}, *named == ColumnarKind::parquet ? "no Parquet data" : "no Arrow data",
                    "data as the file's name says", "check the file's name, and whether it is whole");
  }
  return std::nullopt;
}

std::unique_ptr<ByteStream> open_columnar(const Path& path, ColumnarKind kind, const ReadLimits& limits) {
  return half(path).open(path, kind, limits);
}

std::unique_ptr<RowSink> create_columnar(Fs& fs, const Path& path, ColumnarKind kind) {
  return half(path).create(fs, path, kind);
}

}  // namespace attune
