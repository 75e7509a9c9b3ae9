// Writing data sets: any format, durable, compressed by the name's end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "attune/base/files.h"
#include "attune/data/record.h"

namespace attune {

struct WriteOptions {
  std::string format = "attune";
  bool lossy = false;  // leave out what the format cannot carry instead of refusing
};

struct WriteResult {
  std::int64_t records = 0, rows = 0;
  std::int64_t lossy_records = 0;  // lost a field (or everything); 0 unless lossy
  std::string first_loss = {};     // "feedback[0].annotator of record 3"
};

// Writes records one after the other. `tables` (a data set whose records are not looked at) holds the annotators,
// scales, rubrics and sources of all of them, and must outlive the writer. Throws as write_dataset.
class DatasetWriter {
 public:
  DatasetWriter(Fs& fs, const Path& path, const Dataset& tables, const WriteOptions& options = {});
  ~DatasetWriter();
  void add(const Record& record);
  WriteResult finish();  // the file appears under its name
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes .jsonl, or a .json list, also .gz or .zst, or .parquet, .arrow and the like (row_sink.h, columnar.h). The file
// appears under its name only when whole. Throws DataError naming the field and record that the format cannot carry
// (unless lossy), UsageError for an unknown format and for the name of a table (.csv, .tsv), and what `fs` throws.
WriteResult write_dataset(Fs& fs, const Path& path, const Dataset& dataset, const WriteOptions& options = {});

}  // namespace attune
