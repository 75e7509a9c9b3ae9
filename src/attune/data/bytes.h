// Bytes of data files as a stream: plain, gzip or zstd, decompressed block by block in constant memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "attune/base/files.h"

namespace attune {

// What a hostile or broken file may cost. Generous for text: real preference data compresses 3 to 20 fold.
struct ReadLimits {
  std::size_t row_bytes = std::size_t{64} << 20;       // one row, decompressed
  std::uint64_t free_bytes = std::uint64_t{64} << 20;  // the expansion ratio is not looked at below this output
  double ratio = 250;                                  // decompressed over compressed bytes
  int window_log = 27;                                 // zstd windows up to 128 MiB, as the zstd program
  std::int64_t empty_members = 10'000;                 // gzip members or zstd frames without content
};

// Thrown by a stream that cannot go on; whoever counts the rows turns it into a DataError that says how many were good.
struct DamagedStream {
  std::string found = {}, expected = {};
  std::int64_t offset = -1;  // in the compressed bytes; -1 where that says nothing
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Fills the front of `into`; the number of bytes, 0 only at the end. Throws DamagedStream and the errors of
  // InputFile.
  virtual std::size_t read(std::span<char> into) = 0;
};

// Opens a file ("-": standard input). What the bytes are is told by their magic numbers; a name ending in .gz or .zst
// whose bytes are neither is damaged. Throws MissingInput, PermissionError, IoError.
std::unique_ptr<ByteStream> open_bytes(const Path& path, const ReadLimits& limits = {});

enum class Compression { none, gzip, zstd };
Compression compression_of(const Path& path);  // by the name's end

// Compresses pieces into one gzip member or one zstd frame (with checksum); `none` passes them through.
class Compressor {
 public:
  explicit Compressor(Compression compression);
  ~Compressor();
  std::string add(std::string_view piece);  // the compressed bytes that are ready
  std::string finish();                     // the rest
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All of `bytes` at once.
std::string compress(std::string_view bytes, Compression compression);

}  // namespace attune
