// Where written rows go: a file that appears under its name only when it is whole.
#pragma once

#include <memory>
#include <string_view>

#include "attune/base/files.h"

namespace attune {

class RowSink {
 public:
  virtual ~RowSink() = default;                // before finish(): the temporary files disappear again
  virtual void add(std::string_view row) = 0;  // one JSON object without newlines
  virtual void finish() = 0;                   // durable, and under its name
};

// A file that is being written beside its target and takes its name at the end.
class FreshFile {
 public:
  FreshFile(Fs& fs, const Path& path);
  ~FreshFile();
  void write(std::string_view bytes) { file_->write(bytes); }
  void finish();
  FreshFile(const FreshFile&) = delete;
  FreshFile& operator=(const FreshFile&) = delete;

 private:
  Fs& fs_;
  Path path_, fresh_;
  std::unique_ptr<WritableFile> file_;
};

// JSON Lines or a JSON list, compressed by the name's end; Parquet and Arrow files where the name says so. Throws
// UsageError for the name of a table (.csv, .tsv) or of compressed columns (.parquet.gz), and what `fs` throws.
std::unique_ptr<RowSink> create_rows(Fs& fs, const Path& path);

}  // namespace attune
