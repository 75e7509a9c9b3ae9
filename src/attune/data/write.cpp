#include "attune/data/write.h"

#include <memory>

#include "attune/base/errors.h"
#include "attune/data/bytes.h"
#include "attune/data/format.h"
#include "attune/data/rows.h"

namespace attune {
namespace {

// Rows into a temporary file beside the target, which takes its name at the end.
class RowSink {
 public:
  RowSink(Fs& fs, const Path& path)
      : fs_(fs),
        path_(path),
        fresh_(path),
        list_(row_layout_of(path) == RowLayout::document),
        compressor_(compression_of(path)) {
    fresh_ += ".tmp";
    file_ = fs_.create(fresh_);
  }
  ~RowSink() {
    if (finished_) return;
    try {
      file_.reset();
      fs_.remove(fresh_);
    } catch (const Error&) {  // the first error is the one that counts
    }
  }
  void add(std::string_view row) {
    if (list_) buffer_ += first_ ? "[\n" : ",\n";
    buffer_ += row;
    if (!list_) buffer_ += '\n';
    first_ = false;
    if (buffer_.size() >= block_bytes) flush();
  }
  void finish() {
    if (list_) buffer_ += first_ ? "[]\n" : "\n]\n";
    flush();
    file_->write(compressor_.finish());
    file_->sync();
    file_->close();
    fs_.rename(fresh_, path_);
    fs_.sync_directory(path_.has_parent_path() ? path_.parent_path() : Path("."));
    finished_ = true;
  }
  RowSink(const RowSink&) = delete;
  RowSink& operator=(const RowSink&) = delete;

 private:
  static constexpr std::size_t block_bytes = std::size_t{1} << 20;
  void flush() {
    file_->write(compressor_.add(buffer_));
    buffer_.clear();
  }
  Fs& fs_;
  Path path_, fresh_;
  bool list_, first_ = true, finished_ = false;
  Compressor compressor_;
  std::unique_ptr<WritableFile> file_;
  std::string buffer_;
};

}  // namespace

WriteResult write_dataset(Fs& fs, const Path& path, const Dataset& dataset, const WriteOptions& options) {
  const RowLayout layout = row_layout_of(path);
  if (layout == RowLayout::csv || layout == RowLayout::tsv) {
    throw UsageError({.file = path.string()}, "the name of a table, which rows of nested values do not fit",
                     "a name ending in .jsonl or .json, also .gz or .zst");
  }
  const auto& part = format_named(options.format);
  const auto format = part.part->make();
  LossCheck check(*format, dataset);
  WriteResult result;
  RowSink sink(fs, path);
  if (const std::string header = format->header(dataset); !header.empty()) sink.add(header);
  for (std::size_t i = 0; i < dataset.records.size(); ++i) {
    const Record& record = dataset.records[i];
    if (const auto field = check.lost(record)) {
      const std::string id = record.id.empty() ? std::to_string(i) : record.id;
      if (!options.lossy) {
        throw DataError({.file = path.string(), .record = id, .field = *field},
                        "something that " + std::string(part.path) + " cannot carry", "",
                        "choose another format, or add --lossy to leave it out");
      }
      if (result.lossy_records++ == 0) result.first_loss = *field + " of record " + id;
    }
    for (const std::string& row : format->write(record, dataset)) {
      sink.add(row);
      ++result.rows;
    }
    ++result.records;
  }
  sink.finish();
  return result;
}

}  // namespace attune
