#include "attune/data/write.h"

#include <memory>

#include "attune/base/errors.h"
#include "attune/data/format.h"
#include "attune/data/row_sink.h"

namespace attune {

struct DatasetWriter::State {
  State(Fs& fs, const Path& file, const Dataset& named, const WriteOptions& wanted)
      : path(file),
        tables(named),
        options(wanted),
        part(format_named(options.format)),
        format(part.part->make()),
        check(*format, tables),
        sink(create_rows(fs, path)) {
    if (const std::string header = format->header(tables); !header.empty()) sink->add(header);
  }
  Path path;
  const Dataset& tables;
  WriteOptions options;
  const PartRow<Format>& part;
  std::unique_ptr<Format> format;
  LossCheck check;
  std::unique_ptr<RowSink> sink;
  WriteResult result = {};
};

DatasetWriter::DatasetWriter(Fs& fs, const Path& path, const Dataset& tables, const WriteOptions& options)
    : state_(std::make_unique<State>(fs, path, tables, options)) {}
DatasetWriter::~DatasetWriter() = default;

void DatasetWriter::add(const Record& record) {
  State& state = *state_;
  WriteResult& result = state.result;
  if (const auto field = state.check.lost(record)) {
    const std::string id = record.id.empty() ? std::to_string(result.records) : record.id;
    if (!state.options.lossy) {
      throw DataError({.file = state.path.string(), .record = id, .field = *field},
                      "something that " + std::string(state.part.path) + " cannot carry", "",
                      "choose another format, or add --lossy to leave it out");
    }
    if (result.lossy_records++ == 0) result.first_loss = *field + " of record " + id;
  }
  for (const std::string& row : state.format->write(record, state.tables)) {
    state.sink->add(row);
    ++result.rows;
  }
  ++result.records;
}

WriteResult DatasetWriter::finish() {
  state_->sink->finish();
  return state_->result;
}

WriteResult write_dataset(Fs& fs, const Path& path, const Dataset& dataset, const WriteOptions& options) {
  DatasetWriter writer(fs, path, dataset, options);
  for (const Record& record : dataset.records) writer.add(record);
  return writer.finish();
}

}  // namespace attune
