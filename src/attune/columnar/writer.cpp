#include "attune/columnar/writer.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include <exception>
#include <functional>
#include <utility>

#include "attune/base/errors.h"
#include "attune/columnar/column_builder.h"
#include "attune/data/rows.h"

namespace attune::columnar {
namespace {

constexpr std::size_t batch_bytes = std::size_t{8} << 20;   // of JSON text, in one record batch
constexpr std::size_t group_bytes = std::size_t{64} << 20;  // likewise, in one row group of Parquet
constexpr std::int64_t batch_rows = 8'192;

// Arrow's writers onto a file of ours. What the disk throws is kept, for Arrow only knows statuses.
class Output final : public arrow::io::OutputStream {
 public:
  explicit Output(FreshFile& file) : file_(file) {}
  arrow::Status Write(const void* data, std::int64_t size) override {
    try {
      file_.write({static_cast<const char*>(data), static_cast<std::size_t>(size)});
      written_ += size;
      return arrow::Status::OK();
    } catch (...) {
      failure_ = std::current_exception();
      return arrow::Status::IOError("the file could not be written");
    }
  }
  arrow::Result<std::int64_t> Tell() const override { return written_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  void rethrow() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  FreshFile& file_;
  std::int64_t written_ = 0;
  bool closed_ = false;
  std::exception_ptr failure_;
};

// Batches into Parquet or Arrow's own forms.
class BatchWriter {
 public:
  virtual ~BatchWriter() = default;
  virtual arrow::Status write(const arrow::RecordBatch& batch) = 0;
  virtual arrow::Status start_group() { return arrow::Status::OK(); }
  virtual arrow::Status close() = 0;
};

class ParquetWriter final : public BatchWriter {
 public:
  static arrow::Result<std::unique_ptr<BatchWriter>> open(const std::shared_ptr<arrow::Schema>& schema,
                                                          const std::shared_ptr<Output>& output) {
    const auto properties = parquet::WriterProperties::Builder().compression(arrow::Compression::ZSTD)->build();
    // The Arrow schema goes along: it says which nulls are absent members.
    const auto types = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    auto result = std::make_unique<ParquetWriter>();
    ARROW_ASSIGN_OR_RAISE(result->file_, parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), output,
                                                                          properties, types));
    return result;
  }
  arrow::Status write(const arrow::RecordBatch& batch) override { return file_->WriteRecordBatch(batch); }
  arrow::Status start_group() override { return file_->NewBufferedRowGroup(); }
  arrow::Status close() override { return file_->Close(); }

 private:
  std::unique_ptr<parquet::arrow::FileWriter> file_;
};

class ArrowWriter final : public BatchWriter {
 public:
  static arrow::Result<std::unique_ptr<BatchWriter>> open(const std::shared_ptr<arrow::Schema>& schema,
                                                          const std::shared_ptr<Output>& output, ColumnarKind kind,
                                                          bool lz4) {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.use_threads = false;
    if (lz4) {
      ARROW_ASSIGN_OR_RAISE(options.codec, arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME));
    }
    auto result = std::make_unique<ArrowWriter>();
    if (kind == ColumnarKind::arrow_file) {
      ARROW_ASSIGN_OR_RAISE(result->file_, arrow::ipc::MakeFileWriter(output, schema, options));
    } else {
      ARROW_ASSIGN_OR_RAISE(result->file_, arrow::ipc::MakeStreamWriter(output, schema, options));
    }
    return result;
  }
  arrow::Status write(const arrow::RecordBatch& batch) override { return file_->WriteRecordBatch(batch); }
  arrow::Status close() override { return file_->Close(); }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchWriter> file_;
};

// Rows as lines in a file that disappears with this object.
class Spool {
 public:
  Spool(Fs& fs, Path path) : fs_(fs), path_(std::move(path)), file_(fs.create(path_)) {}
  ~Spool() {
    try {
      file_.reset();
      fs_.remove(path_);
    } catch (const Error&) {  // the first error is the one that counts
    }
  }
  void add(std::string_view row) {
    buffer_ += row;
    buffer_ += '\n';
    if (buffer_.size() >= block_bytes) flush();
  }
  void read(const std::function<void(std::string_view)>& visit) {
    flush();
    file_->close();
    ReadLimits limits;
    limits.row_bytes = std::size_t{1} << 40;  // the rows are our own
    RowReader rows(open_bytes(path_, limits), RowLayout::lines, limits);
    for (RawRow row; rows.next(row);) visit(row.text);
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

 private:
  static constexpr std::size_t block_bytes = std::size_t{1} << 20;
  void flush() {
    file_->write(buffer_);
    buffer_.clear();
  }
  Fs& fs_;
  Path path_;
  std::unique_ptr<WritableFile> file_;
  std::string buffer_;
};

Path beside(Path path, const char* ending) {
  path += ending;
  return path;
}

class ColumnSink final : public RowSink {
 public:
  ColumnSink(Fs& fs, const Path& path, ColumnarKind kind)
      : path_(path),
        kind_(kind),
        file_(fs, path),
        spool_(fs, beside(path, ".rows.tmp")),
        output_(std::make_shared<Output>(file_)) {}

  void add(std::string_view row) override {
    rows_.learn(row);
    spool_.add(row);
  }

  void finish() override {
    schema_ = schema_of(rows_);
    writer_ = taken([&] { return open(); });
    auto made = arrow::MakeBuilder(arrow::struct_(schema_->fields()));
    require(made.ok(), "a builder for the rows");
    builder_ = std::static_pointer_cast<arrow::StructBuilder>(std::shared_ptr<arrow::ArrayBuilder>(*std::move(made)));
    spool_.read([&](std::string_view row) { write(row); });
    flush();
    taken([&] { return arrow::Result(done(writer_->close())); });
    file_.finish();
  }

 private:
  arrow::Result<std::unique_ptr<BatchWriter>> open() {
    if (kind_ == ColumnarKind::parquet) return ParquetWriter::open(schema_, output_);
    return ArrowWriter::open(schema_, output_, kind_, path_.extension() == ".feather");
  }

  static arrow::Result<bool> done(const arrow::Status& status) {
    ARROW_RETURN_NOT_OK(status);
    return true;
  }

  // What `work` gives, or the error of the disk below it.
  template <class Work>
  auto taken(const Work& work) -> std::decay_t<decltype(*work())> {
    auto result = work();
    output_->rethrow();
    if (!result.ok()) {
      throw DataError({.file = path_.string()}, "rows that fit no columns", "rows of one kind", "write .jsonl instead");
    }
    return *std::move(result);
  }

  void write(std::string_view row) {
    append_row(row, rows_, *builder_);
    pending_bytes_ += row.size();
    if (pending_bytes_ >= batch_bytes || builder_->length() >= batch_rows) flush();
  }

  void flush() {
    if (builder_->length() == 0) return;
    std::shared_ptr<arrow::Array> rows;
    require(builder_->Finish(&rows).ok(), "a batch of rows");
    const auto batch = taken([&] { return arrow::RecordBatch::FromStructArray(rows); });
    taken([&]() -> arrow::Result<bool> {
      if (group_filled_ == 0) ARROW_RETURN_NOT_OK(writer_->start_group());
      // FromStructArray forgets the fields' metadata.
      return done(writer_->write(*arrow::RecordBatch::Make(schema_, batch->num_rows(), batch->columns())));
    });
    group_filled_ += pending_bytes_;
    if (group_filled_ >= group_bytes) group_filled_ = 0;
    pending_bytes_ = 0;
  }

  Path path_;
  ColumnarKind kind_;
  FreshFile file_;
  Spool spool_;
  std::shared_ptr<Output> output_;
  Shape rows_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchWriter> writer_;
  std::shared_ptr<arrow::StructBuilder> builder_;
  std::size_t pending_bytes_ = 0, group_filled_ = 0;
};

}  // namespace

std::unique_ptr<RowSink> create(Fs& fs, const Path& path, ColumnarKind kind) {
  return std::make_unique<ColumnSink>(fs, path, kind);
}

}  // namespace attune::columnar
