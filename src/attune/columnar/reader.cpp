#include "attune/columnar/reader.h"

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "attune/base/errors.h"
#include "attune/columnar/json_text.h"

namespace attune::columnar {
namespace {

constexpr std::int64_t rows_a_batch = 1024;
constexpr std::size_t block_bytes = std::size_t{64} << 10;

// Record batches one after the other; null at the end.
class Batches {
 public:
  virtual ~Batches() = default;
  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> next() = 0;
};

class ParquetBatches final : public Batches {
 public:
  static arrow::Result<std::unique_ptr<Batches>> open(const Path& path) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path.string()));
    auto result = std::make_unique<ParquetBatches>();
    parquet::ReaderProperties properties;
    properties.enable_buffered_stream();  // pages, not whole columns of a row group
    parquet::ArrowReaderProperties rows(/*use_threads=*/false);
    rows.set_batch_size(rows_a_batch);
    rows.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file), properties));
    builder.properties(rows);
    ARROW_RETURN_NOT_OK(builder.Build(&result->file_));
    ARROW_ASSIGN_OR_RAISE(result->batches_, result->file_->GetRecordBatchReader());
    return result;
  }
  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> next() override { return batches_->Next(); }

 private:
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
};

arrow::ipc::IpcReadOptions ipc_options() {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  return options;
}

class FileBatches final : public Batches {
 public:
  static arrow::Result<std::unique_ptr<Batches>> open(const Path& path) {
    // Mapped, so that a batch as large as the file costs pages and no memory.
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::MemoryMappedFile::Open(path.string(), arrow::io::FileMode::READ));
    auto result = std::make_unique<FileBatches>();
    ARROW_ASSIGN_OR_RAISE(result->file_, arrow::ipc::RecordBatchFileReader::Open(std::move(file), ipc_options()));
    return result;
  }
  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    if (next_ == file_->num_record_batches()) return nullptr;
    return file_->ReadRecordBatch(next_++);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

class StreamBatches final : public Batches {
 public:
  static arrow::Result<std::unique_ptr<Batches>> open(const Path& path) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::MemoryMappedFile::Open(path.string(), arrow::io::FileMode::READ));
    auto result = std::make_unique<StreamBatches>();
    result->file_ = file;
    ARROW_ASSIGN_OR_RAISE(result->stream_, arrow::ipc::RecordBatchStreamReader::Open(std::move(file), ipc_options()));
    return result;
  }
  std::shared_ptr<arrow::Schema> schema() const override { return stream_->schema(); }
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    ARROW_ASSIGN_OR_RAISE(auto batch, stream_->Next());
    if (!batch) ARROW_RETURN_NOT_OK(check_end());
    return batch;
  }

 private:
  // Arrow takes a file that was cut between two batches for a whole one; writers end a stream with eight bytes.
  arrow::Status check_end() const {
    static constexpr std::string_view end("\xFF\xFF\xFF\xFF\0\0\0\0", 8);
    ARROW_ASSIGN_OR_RAISE(const auto size, file_->GetSize());
    ARROW_ASSIGN_OR_RAISE(const auto bytes, file_->ReadAt(size - std::ssize(end), std::ssize(end)));
    return std::string_view(*bytes) == end ? arrow::Status::OK() : arrow::Status::Invalid("no end of the stream");
  }

  std::shared_ptr<arrow::io::MemoryMappedFile> file_;
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> stream_;
};

class RowStream final : public ByteStream {
 public:
  RowStream(const Path& path, ColumnarKind kind, const ReadLimits& limits)
      : kind_(kind), limit_(limits.row_bytes), batches_(guarded([&] { return open(path, kind); })) {
    const auto schema = guarded([&] { return arrow::Result(batches_->schema()); });
    for (const auto& field : schema->fields()) columns_.emplace_back(*field, field->name(), path.string());
  }

  std::size_t read(std::span<char> into) override {
    while (given_ == text_.size()) {
      text_.clear();
      given_ = 0;
      if (!fill()) return 0;
    }
    const std::size_t count = std::min(into.size(), text_.size() - given_);
    std::memcpy(into.data(), text_.data() + given_, count);
    given_ += count;
    return count;
  }

 private:
  static arrow::Result<std::unique_ptr<Batches>> open(const Path& path, ColumnarKind kind) {
    if (kind == ColumnarKind::parquet) return ParquetBatches::open(path);
    return kind == ColumnarKind::arrow_file ? FileBatches::open(path) : StreamBatches::open(path);
  }

  // What `work` gives. Everything that goes wrong inside of Arrow is damage to the file; its own words may hold values
  // and are not passed on.
  template <class Work>
  auto guarded(const Work& work) const -> std::decay_t<decltype(*work())> {
    try {
      auto result = work();
      if (result.ok()) return *std::move(result);
      if (result.status().IsNotImplemented()) {
        throw DamagedStream{name() + " data with an encoding that is not known", "data as pyarrow writes it"};
      }
      if (result.status().IsOutOfMemory())
        throw DamagedStream{name() + " data that needs too much memory", "whole data"};
    } catch (const std::exception&) {
    }
    throw DamagedStream{name() + " data that is cut short or damaged", "a whole file"};
  }
  std::string name() const { return kind_ == ColumnarKind::parquet ? "Parquet" : "Arrow"; }

  bool fill() {
    while (!batch_ || row_ == batch_->num_rows()) {
      batch_ = guarded([&] { return batches_->next(); });
      row_ = 0;
      if (!batch_) return false;
      guarded([&] { return checked(*batch_); });
    }
    while (row_ < batch_->num_rows() && text_.size() < block_bytes) add_row();
    return true;
  }

  // Offsets and indices inside of their buffers; texts are looked at later, row by row.
  arrow::Result<bool> checked(const arrow::RecordBatch& batch) const {
    ARROW_RETURN_NOT_OK(kind_ == ColumnarKind::parquet ? batch.Validate() : batch.ValidateFull());
    return true;
  }

  void add_row() {
    const std::size_t before = text_.size();
    bool first = true;
    text_ += '{';
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const arrow::Array& column = *batch_->column(static_cast<int>(i));
      if (columns_[i].absent(column, row_)) continue;
      if (!std::exchange(first, false)) text_ += ',';
      text_ += columns_[i].key();
      columns_[i].append(column, row_, text_);
    }
    text_ += "}\n";
    ++row_;
    if (text_.size() - before > limit_) {
      throw DamagedStream{"a row of more than " + std::to_string(limit_ >> 20) + " MiB", "smaller rows"};
    }
  }

  ColumnarKind kind_;
  std::size_t limit_;
  std::unique_ptr<Batches> batches_;
  std::vector<JsonText> columns_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::int64_t row_ = 0;
  std::string text_;
  std::size_t given_ = 0;
};

}  // namespace

std::unique_ptr<ByteStream> open(const Path& path, ColumnarKind kind, const ReadLimits& limits) {
  return std::make_unique<RowStream>(path, kind, limits);
}

}  // namespace attune::columnar
