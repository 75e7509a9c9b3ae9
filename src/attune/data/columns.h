// What the columns of a data file hold, of any rows of JSON objects: every row is parsed, no record is made.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/json.h"
#include "attune/data/bytes.h"

namespace attune {

struct ColumnCounts {
  std::string name = {};
  std::array<std::int64_t, 7> rows = {};  // by Json::Type; a row may lack the column
  std::int64_t bytes = 0;                 // of the values that are strings, unescaped UTF-8
  std::int64_t rows_of(Json::Type type) const { return rows[static_cast<std::size_t>(type)]; }
};

struct FileColumns {
  std::int64_t rows = 0;                   // seen
  std::int64_t bad_rows = 0;               // broken JSON, invalid UTF-8, or no object
  std::vector<ColumnCounts> columns = {};  // of the other rows, in the order of their first appearance
};

// Throws MissingInput, PermissionError, IoError, and DataError for damaged compressed data.
FileColumns count_columns(const Path& path, const ReadLimits& limits = {});

}  // namespace attune
