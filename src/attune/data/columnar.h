// Parquet and Arrow files. What reads and writes them (src/attune/columnar) lives in a shared library of its own, which
// is opened when the first such file is met: a program that only sees JSON Lines never loads Arrow.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "attune/base/files.h"
#include "attune/data/bytes.h"
#include "attune/data/row_sink.h"

namespace attune {

enum class ColumnarKind { parquet, arrow_file, arrow_stream };

// What a file that exists is, by its first bytes; none for text and for what is no regular file. Throws DataError for
// encrypted Parquet and for the first version of Feather, and where the name promises columns (.parquet, .arrow,
// .feather, .ipc, .arrows) that the bytes are not.
std::optional<ColumnarKind> columnar_kind(const Path& path);

// What a file of this name is written as: .parquet, .arrow / .feather / .ipc (the file form) or .arrows (the stream).
std::optional<ColumnarKind> columnar_kind_named(const Path& path);

// The rows as JSON Lines, a batch at a time: lists are lists, structs and maps with text keys objects, dictionaries
// their values, dates and times ISO 8601 texts, binary values base64 texts, decimals numbers, NaN and null null.
// Columns that `create_columnar` made come back as they were, absent members included. Throws DataError for a column of
// another type (named), DamagedStream, also while reading, and what InputFile throws.
std::unique_ptr<ByteStream> open_columnar(const Path& path, ColumnarKind kind, const ReadLimits& limits);

// Rows (JSON objects) into a new file. Types come from all rows: what is always an integer, a number, a text, a list or
// an object is a column of that type; what is sometimes one and sometimes another is JSON text (Arrow's extension type
// arrow.json). Rows wait in a file beside the target until the last one is known. Parquet is compressed with zstd,
// .feather with lz4.
std::unique_ptr<RowSink> create_columnar(Fs& fs, const Path& path, ColumnarKind kind);

// The library's two doors, and the one symbol that leads to them.
struct ColumnarHalf {
  std::unique_ptr<ByteStream> (*open)(const Path&, ColumnarKind, const ReadLimits&) = nullptr;
  std::unique_ptr<RowSink> (*create)(Fs&, const Path&, ColumnarKind) = nullptr;
};
inline constexpr const char* columnar_entry_name = "attune_columnar_half";
using ColumnarEntry = ColumnarHalf (*)();

}  // namespace attune
