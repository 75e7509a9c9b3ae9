#include "attune/statistics/evidence.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/data/read.h"
#include "attune/data/rows.h"

namespace attune {
namespace {

// Nothing where it is no object: then whoever reads all of them says what is wrong.
std::optional<EvidenceRow> first_row(const Path& file) {
  try {
    RowReader reader(open_bytes(file), row_layout_of(file));
    RawRow raw;
    if (!reader.next(raw) || !raw.problem.empty()) return std::nullopt;
    EvidenceRow row{.value = Json::parse(raw.text), .file = file.string(), .line = raw.line};
    if (row.value.is_object()) return row;
  } catch (const DamagedStream&) {
  } catch (const JsonSyntaxError&) {
  }
  return std::nullopt;
}

void read_rows(const Path& file, std::vector<EvidenceRow>& rows) {
  const std::size_t before = rows.size();
  try {
    RowReader reader(open_bytes(file), row_layout_of(file));
    for (RawRow raw; reader.next(raw);) {
      const Where where{.file = file.string(), .line = raw.line};
      if (!raw.problem.empty()) throw DataError(where, raw.problem, raw.expected);
      EvidenceRow row{.file = file.string(), .line = raw.line};
      try {
        row.value = Json::parse(raw.text);
      } catch (const JsonSyntaxError& error) {
        throw DataError(where, "broken JSON (" + error.reason + ")", "one JSON object a row");
      }
      if (!row.value.is_object()) throw DataError(where, std::string(row.value.type_name()), "one JSON object a row");
      rows.push_back(std::move(row));
    }
  } catch (const DamagedStream& damage) {
    throw DataError({.file = file.string(), .offset = damage.offset},
                    damage.found + " after " + std::to_string(rows.size() - before) + " rows", damage.expected);
  }
}

}  // namespace

const std::vector<EvidenceRow>& Evidence::rows() const {
  if (!rows_) {
    std::vector<EvidenceRow> rows;
    for (const Path& file : data_files(path_)) read_rows(file, rows);
    rows_ = std::make_shared<const std::vector<EvidenceRow>>(std::move(rows));
  }
  if (rows_->empty()) refuse("no rows", "at least one");
  return *rows_;
}

bool Evidence::has_columns(std::initializer_list<std::string_view> names) const {
  if (dataset_) return false;
  std::optional<EvidenceRow> first;
  if (rows_ || path_ == "-") {
    first = rows().front();
  } else {
    first = first_row(data_files(path_).front());
  }
  if (!first) return false;
  return std::all_of(names.begin(), names.end(),
                     [&](std::string_view name) { return first->value.find(name) != nullptr; });
}

const Dataset& Evidence::dataset() const {
  if (!dataset_) {
    if (rows_) refuse("rows without the columns asked for", "preference data in a file, or these columns");
    const auto policy = drop_bad_rows_ ? OnBadRow::drop : OnBadRow::refuse;
    try {
      dataset_ = std::make_shared<const Dataset>(read_dataset({{.path = path_}}, {.on_bad_row = policy}).dataset);
    } catch (const DataError& error) {
      const std::string& found = error.problem().found;
      if (!found.starts_with("rows of an unknown format")) throw;
      throw DataError(error.problem().where, found,
                      "the columns that options name, or preference data of a known format",
                      "name the columns: see 'attune explain statistic NAME'");
    }
  }
  return *dataset_;
}

void Evidence::refuse(std::string found, std::string expected, std::string remedy) const {
  throw DataError({.file = path_}, std::move(found), std::move(expected), std::move(remedy));
}

const Json& cell_of(const EvidenceRow& row, const std::string& column) {
  if (const Json* cell = row.value.find(column)) return *cell;
  refuse_cell(row, column, "no such column", "one in every row");
}

std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.number();
  if (value.is_bool()) return value.boolean() ? 1 : 0;
  if (!value.is_string() || value.string().empty()) return std::nullopt;
  const std::string& text = value.string();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::string text_of(const Json& value) { return value.is_string() ? value.string() : value.str(); }

double number_in(const EvidenceRow& row, const std::string& column) {
  const Json& cell = cell_of(row, column);
  const auto number = number_of(cell);
  if (!number) refuse_cell(row, column, std::string(cell.type_name()) + " that is no number", "a number");
  return *number;
}

std::string text_in(const EvidenceRow& row, const std::string& column) {
  const Json& cell = cell_of(row, column);
  if (!cell.is_string() && !cell.is_number() && !cell.is_bool()) {
    refuse_cell(row, column, std::string(cell.type_name()), "a text or a number");
  }
  return text_of(cell);
}

void refuse_cell(const EvidenceRow& row, const std::string& column, std::string found, std::string expected,
                 std::string remedy) {
  throw DataError({.file = row.file, .line = row.line, .field = column}, std::move(found), std::move(expected),
                  std::move(remedy));
}

std::int32_t Names::add(const std::string& name) {
  const auto [place, fresh] = numbers_.try_emplace(name, size());
  if (fresh) names_.push_back(name);
  return place->second;
}

std::int32_t Names::find(const std::string& name) const {
  const auto place = numbers_.find(name);
  return place == numbers_.end() ? -1 : place->second;
}

std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i > 0 ? ", " : "") + names[i];
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more" : text;
}

}  // namespace attune
