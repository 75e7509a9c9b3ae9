// CSV and TSV files as lines of JSON objects, so that every format can come as a table.
#pragma once

#include <memory>

#include "attune/data/bytes.h"

namespace attune {

// Turns a table (RFC 4180: a header line, cells in double quotes where they hold the delimiter, quotes or newlines)
// into one JSON object a row. A column is numbers, true and false, or JSON lists and objects where all of its filled
// cells in the first 64 KiB are, else texts; an empty cell is null there and an empty text here. A row with fewer cells
// lacks the last columns. A table of tabs may be
// called .csv. The tables of UKPConvArg have no quoting, and those of its second part no header: their columns are
// #id, labels, better and worse. Empty lines stand in for lines that a row took further, so that line numbers stay
// those of the file. The stream throws DamagedStream for rows with more cells than the header, text behind a closing
// quote, a quote that never closes, rows over the limit and UTF-16, and what `stream` throws.
std::unique_ptr<ByteStream> table_as_lines(std::unique_ptr<ByteStream> stream, char delimiter,
                                           const ReadLimits& limits);

}  // namespace attune
