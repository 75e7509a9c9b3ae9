// Reading data sets: files, folders or standard input, of any known format, into records and a report on bad rows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/config/fields.h"
#include "attune/data/bytes.h"
#include "attune/data/record.h"
#include "attune/data/report.h"

namespace attune {

// One entry of `data.train`: a path, or {path, weight, limit, format}.
struct DataPart {
  std::string path = {};    // a file, a folder of files, or "-" for standard input
  double weight = 1;        // 0.5: a random half; 2: every record twice
  std::int64_t limit = 0;   // at most that many records, drawn at random; 0: all
  std::string format = {};  // empty: recognised by content
  void describe(Fields& fields);
};

struct DatasetOptions {
  OnBadRow on_bad_row = OnBadRow::refuse;
  std::uint64_t seed = 0;  // of what weights and limits draw (stream "data/mix", one a part)
  ReadLimits limits = {};
};

struct ReadResult {
  Dataset dataset = {};
  ReadReport report = {};
};

// Reads the parts in order; files of a folder in the order of their names, which must all have one format. Throws
// DataError for the first bad row (unless they are dropped), damaged files, unknown or differing formats, and when no
// record is left; UsageError for an unknown format's name; MissingInput, PermissionError, IoError.
ReadResult read_dataset(const std::vector<DataPart>& parts, const DatasetOptions& options = {});

// The same for one path, with every problem in the report and none thrown: for inspecting. Damaged files still throw.
ReadResult inspect_dataset(const DataPart& part, const DatasetOptions& options = {});

// The records of one path one after the other, for data that is larger than memory: `visit` is given each record once,
// with the tables (annotators, scales, ...) that it names as they stand; only the tables are kept, as a result without
// records. Bad rows as for
// inspect_dataset. With `tables` of an earlier reading of the same path, records name their entries, which are all
// there from the beginning; throws DataError where the file has entries that they lack.
using RecordVisitor = std::function<void(Record record, const Dataset& tables)>;
ReadResult stream_dataset(const DataPart& part, const RecordVisitor& visit, const DatasetOptions& options = {},
                          const Dataset* tables = nullptr);

// The data files that a path means. Throws MissingInput when there are none, DataError for kinds not supported.
std::vector<Path> data_files(const std::string& path);

// Which of `size` records a weight and a limit keep, in order, and how often: indices, repeated where the weight is
// above 1. A pure function of its arguments.
std::vector<std::size_t> mix(std::size_t size, const DataPart& part, std::uint64_t seed, std::int64_t part_index);

}  // namespace attune
