#include "attune/data/row_sink.h"

#include <utility>

#include "attune/base/errors.h"
#include "attune/data/bytes.h"
#include "attune/data/columnar.h"
#include "attune/data/rows.h"

namespace attune {
namespace {

class TextSink final : public RowSink {
 public:
  TextSink(Fs& fs, const Path& path)
      : file_(fs, path), list_(row_layout_of(path) == RowLayout::document), compressor_(compression_of(path)) {}
  void add(std::string_view row) override {
    if (list_) buffer_ += first_ ? "[\n" : ",\n";
    buffer_ += row;
    if (!list_) buffer_ += '\n';
    first_ = false;
    if (buffer_.size() >= block_bytes) flush();
  }
  void finish() override {
    if (list_) buffer_ += first_ ? "[]\n" : "\n]\n";
    flush();
    file_.write(compressor_.finish());
    file_.finish();
  }

 private:
  static constexpr std::size_t block_bytes = std::size_t{1} << 20;
  void flush() {
    file_.write(compressor_.add(buffer_));
    buffer_.clear();
  }
  FreshFile file_;
  bool list_, first_ = true;
  Compressor compressor_;
  std::string buffer_;
};

}  // namespace

FreshFile::FreshFile(Fs& fs, const Path& path) : fs_(fs), path_(path), fresh_(path) {
  fresh_ += ".tmp";
  file_ = fs_.create(fresh_);
}

FreshFile::~FreshFile() {
  if (!file_) return;
  try {
    file_.reset();
    fs_.remove(fresh_);
  } catch (const Error&) {  // the first error is the one that counts
  }
}

void FreshFile::finish() {
  file_->sync();
  file_->close();
  fs_.rename(fresh_, path_);
  fs_.sync_directory(path_.has_parent_path() ? path_.parent_path() : Path("."));
  file_.reset();
}

std::unique_ptr<RowSink> create_rows(Fs& fs, const Path& path) {
  if (const auto kind = columnar_kind_named(path)) return create_columnar(fs, path, *kind);
  if (compression_of(path) != Compression::none && columnar_kind_named(path.stem())) {
    throw UsageError({.file = path.string()}, "columns compressed as a whole, which nobody reads", path.stem().string(),
                     "such files compress their own pages");
  }
  const RowLayout layout = row_layout_of(path);
  if (layout == RowLayout::csv || layout == RowLayout::tsv) {
    throw UsageError({.file = path.string()}, "the name of a table, which rows of nested values do not fit",
                     "a name ending in .jsonl or .json, also .gz or .zst, or in .parquet or .arrow");
  }
  return std::make_unique<TextSink>(fs, path);
}

}  // namespace attune
