// A format: how rows of one kind of data file become records and records rows again. One file in formats/ each.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/json.h"
#include "attune/config/part.h"
#include "attune/data/builder.h"
#include "attune/data/raw_json.h"
#include "attune/data/record.h"
#include "attune/data/report.h"

namespace attune {

// One row, parsed, and its columns as bytes.
struct Row {
  Json value = {};                               // an object
  std::shared_ptr<const std::string> text = {};  // what the columns are views into
  std::vector<RawMember> columns = {};           // in the order of the row
};

// What a format tells about the row it reads, and the tables it may enter things into. One a file.
class RowContext {
 public:
  RowContext(DatasetBuilder& builder, std::string file, std::string format)
      : builder_(&builder), file_(std::move(file)), format_(std::move(format)) {}

  // The row cannot be used. `found` names a kind of thing, never the content of the row.
  void fail(std::string field, std::string found, std::string expected);
  void fail_type(const std::string& field, const Json& value, std::string expected);  // found: the value's type
  void note(std::string what) { notes_.push_back(std::move(what)); }                  // legal, worth counting
  bool failed() const { return !problems_.empty(); }

  DatasetBuilder& builder() { return *builder_; }
  std::int32_t source(std::string layout);  // the file, with this layout of its rows
  Dataset& header() { return header_; }     // the tables of a header row, for formats that have one

  void start_row(std::int64_t row);
  std::vector<RowProblem> take_problems() { return std::move(problems_); }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  DatasetBuilder* builder_;
  std::string file_, format_;
  std::int64_t row_ = 0;
  std::vector<RowProblem> problems_;
  std::vector<std::string> notes_;
  Dataset header_;
  std::string last_layout_;
  std::int32_t last_source_ = -1;
};

class Format {
 public:
  virtual ~Format() = default;

  // How well a row fits, in [0, 1]: 0 it cannot be of this format, 1 all of it speaks for it.
  virtual double recognises(const Row& row) const = 0;

  // The row's record. None when context.fail() was called, or when the row was a header.
  virtual std::optional<Record> read(const Row& row, RowContext& context) const = 0;

  // The record as rows (JSON texts), as far as the format can say it; empty when it cannot. What gets lost is not this
  // function's business: LossCheck reads the rows back and compares.
  virtual std::vector<std::string> write(const Record& record, const Dataset& dataset) const = 0;

  // The row before the records, or empty.
  virtual std::string header(const Dataset&) const { return {}; }

  // The columns that make a row one of this format, for messages: "chosen, rejected".
  virtual std::string columns() const = 0;

  void describe(Fields&) {}
};

template <>
inline constexpr std::string_view part_kind<Format> = "format";

// The format of that name. Throws UsageError with the nearest right spelling.
const PartRow<Format>& format_named(std::string_view name);

// The best match over some rows of a file. Throws DataError naming `file` when nothing fits (with the columns seen and
// the formats that come nearest) or two formats fit equally well.
const PartRow<Format>& recognise(const std::vector<Row>& rows, const std::string& file);

// Says what a format cannot carry, by writing records and reading them back.
class LossCheck {
 public:
  LossCheck(const Format& format, const Dataset& dataset);  // both must outlive it
  LossCheck(const LossCheck&) = delete;
  LossCheck& operator=(const LossCheck&) = delete;
  // The first field of the record that would be lost ("feedback[1].annotator"), or none when its rows read back to an
  // equal record (where it came from aside).
  std::optional<std::string> lost(const Record& record);

 private:
  const Format& format_;
  const Dataset& dataset_;
  DatasetBuilder builder_;  // holds the data set's tables, so that equal entries get equal numbers
  RowContext context_;
};

// Parses one row. Sets `problem` and returns nothing when it is no JSON object or says a column twice.
std::optional<Row> parse_row(std::string_view text, RowProblem& problem);

}  // namespace attune
