// Rows of a data file as text: JSON Lines, the elements of a JSON list or the rows of a table, one at a time in bounded
// memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "attune/data/bytes.h"

namespace attune {

struct RawRow {
  std::string_view text = {};  // valid until the next call; UTF-8 unless `problem` says otherwise
  std::int64_t line = 0;       // where it begins: from 1, in the decompressed stream
  std::string problem = {};    // not empty: the row cannot be used, and why
  std::string expected = {};
};

enum class RowLayout {
  lines,     // one value a line (.jsonl)
  document,  // one list of values, values one after the other, or one object of objects by numbers (.json)
  csv,
  tsv,  // a table: a header line, then one row of cells each (table.h says how cells become values)
};
RowLayout row_layout_of(const Path& path);  // by the name, compression aside; standard input: lines

// Splits a stream into rows without parsing them. A byte order mark, CRLF, empty lines and a last line without newline
// are legal; a file that begins with '[' is a document whatever its name. Objects by numbers ({"7": {...}, ...}) become
// rows with the number as the first column, `id`. Throws DamagedStream, also for UTF-16,
// UTF-32 and for Parquet and Arrow data in a stream, and what the stream throws.
class RowReader {
 public:
  RowReader(std::unique_ptr<ByteStream> stream, RowLayout layout, const ReadLimits& limits = {});
  bool next(RawRow& row);  // false at the end

 private:
  bool fill();  // another block behind what is buffered; false at the end
  void refuse_what_is_no_text();
  bool next_line(RawRow& row);
  bool next_element(RawRow& row);
  bool skip_to_element();
  bool skip_to_keyed_element();
  bool is_keyed() const;
  void finish(RawRow& row, std::size_t begin, std::size_t end) const;

  std::unique_ptr<ByteStream> stream_;
  RowLayout layout_;
  std::size_t limit_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not yet consumed
  std::int64_t line_ = 1;
  bool started_ = false, ended_ = false;
  bool keyed_ = false;
  std::string key_, composed_;  // of an element by number, and its text with the number inside
  bool in_list_ = false, list_ended_ = false, any_ = false, comma_ = true;
};

// The rows of a file: text of the layout that its name says, or a Parquet or Arrow file, told by its first bytes.
// Throws what open_bytes and open_columnar throw.
RowReader open_rows(const Path& path, const ReadLimits& limits = {});

// Byte at which `text` stops being UTF-8; text.size() when it never does.
std::size_t utf8_error(std::string_view text);

}  // namespace attune
