#include "attune/data/columns.h"

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/data/rows.h"

namespace attune {
namespace {

// The counts of a column. Rows mostly have the same columns in the same order, so the search begins where the last one
// ended.
class Table {
 public:
  void start_row() { next_ = 0; }
  void add(const JsonMember& member) {
    ColumnCounts& column = at(member.key);
    ++column.rows[static_cast<std::size_t>(member.type)];
    column.bytes += static_cast<std::int64_t>(member.string.size());
  }
  std::vector<ColumnCounts> finish() { return std::move(columns_); }

 private:
  ColumnCounts& at(std::string_view name) {
    if (next_ < columns_.size() && columns_[next_].name == name) return columns_[next_++];
    const auto known =
        std::find_if(columns_.begin(), columns_.end(), [&](const auto& one) { return one.name == name; });
    next_ = static_cast<std::size_t>(known - columns_.begin()) + 1;
    if (known == columns_.end()) columns_.push_back({.name = std::string(name)});
    return columns_[next_ - 1];
  }

  std::vector<ColumnCounts> columns_;
  std::size_t next_ = 0;
};

}  // namespace

FileColumns count_columns(const Path& path, const ReadLimits& limits) {
  FileColumns result;
  Table table;
  try {
    RowReader rows = open_rows(path, limits);
    for (RawRow row; rows.next(row); ++result.rows) {
      table.start_row();
      try {
        const auto add = [&](const JsonMember& member) { table.add(member); };
        if (!row.problem.empty() || visit_members(row.text, add) != Json::Type::object) ++result.bad_rows;
      } catch (const JsonSyntaxError&) {
        ++result.bad_rows;
      }
    }
  } catch (const DamagedStream& damage) {
    throw DataError({.file = path.string(), .offset = damage.offset},
                    damage.found + " after " + std::to_string(result.rows) + " rows", damage.expected);
  }
  result.columns = table.finish();
  return result;
}

}  // namespace attune
