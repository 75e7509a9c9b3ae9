// What reading found: rows that cannot be used, and remarks about those that can. Never any content of a row.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attune {

struct RowProblem {
  std::string file = {};
  std::int64_t row = 0;    // the line where it begins, from 1, in the decompressed stream
  std::string field = {};  // messages[2].role; empty: the row as a whole
  std::string found = {}, expected = {};
};

enum class OnBadRow { refuse, drop };
constexpr auto enum_names(OnBadRow) {  // for configuration fields
  using Name = std::pair<std::string_view, OnBadRow>;
  return std::array{Name{"refuse", OnBadRow::refuse}, Name{"drop", OnBadRow::drop}};
}

struct ReadReport {
  static constexpr std::size_t kept = 1000;  // problems listed; more are only counted

  std::int64_t rows = 0;                  // seen, headers aside
  std::int64_t bad_rows = 0;              // not among the records
  std::vector<RowProblem> problems = {};  // at most `kept`, in the order of the files; a row may have several
  std::map<std::string, std::int64_t> reasons = {};  // "found" of each row's first problem -> rows
  std::map<std::string, std::int64_t> notes = {};    // legal but worth knowing -> rows
  std::vector<std::string> formats = {};             // recognised, one a file read

  void add_bad_row(std::vector<RowProblem> row_problems);
  // Throws DataError for the first problem, with the number of the other bad rows, unless there is none or policy is
  // drop.
  void enforce(OnBadRow policy) const;
};

}  // namespace attune
