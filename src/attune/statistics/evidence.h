// What a statistic is asked about: a path, seen as plain rows with named columns or as preference data of a known
// format.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "attune/base/json.h"
#include "attune/data/record.h"

namespace attune {

struct EvidenceRow {
  Json value = {};  // an object
  std::string file = {};
  std::int64_t line = 0;
};

// Nothing is read before it is asked for, and everything once.
class Evidence {
 public:
  Evidence() = default;  // nothing
  // `drop_bad_rows`: of preference data.
  explicit Evidence(std::string path, bool drop_bad_rows = false)
      : path_(std::move(path)), drop_bad_rows_(drop_bad_rows) {}
  // From memory.
  explicit Evidence(Dataset dataset) : path_("data"), dataset_(std::make_shared<Dataset>(std::move(dataset))) {}
  explicit Evidence(std::vector<EvidenceRow> rows)
      : path_("rows"), rows_(std::make_shared<std::vector<EvidenceRow>>(std::move(rows))) {}

  bool given() const { return !path_.empty(); }
  const std::string& path() const { return path_; }

  // All rows. Throws DataError for one that is no JSON object, and where there is none; MissingInput, ...
  const std::vector<EvidenceRow>& rows() const;
  // Whether the first row has all of these columns: then the rows themselves are meant, not the format they may be of.
  bool has_columns(std::initializer_list<std::string_view> names) const;
  // Throws what read_dataset() throws.
  const Dataset& dataset() const;

  // DataError about the evidence as a whole.
  [[noreturn]] void refuse(std::string found, std::string expected, std::string remedy = {}) const;

 private:
  std::string path_ = {};
  bool drop_bad_rows_ = false;
  mutable std::shared_ptr<const std::vector<EvidenceRow>> rows_ = {};
  mutable std::shared_ptr<const Dataset> dataset_ = {};
};

// The cell of a column. Throws DataError (with line and field) where the row lacks it.
const Json& cell_of(const EvidenceRow& row, const std::string& column);
// The same as a number: numbers, true and false, and texts that spell a number ("4.5").
double number_in(const EvidenceRow& row, const std::string& column);
// As a text: texts and numbers.
std::string text_in(const EvidenceRow& row, const std::string& column);
// DataError about one cell.
[[noreturn]] void refuse_cell(const EvidenceRow& row, const std::string& column, std::string found,
                              std::string expected, std::string remedy = {});
std::optional<double> number_of(const Json& value);  // nothing where it is no number in that sense
std::string text_of(const Json& value);              // texts as they are, anything else as JSON

// Gives names the numbers 0, 1, ... in the order of their first appearance.
class Names {
 public:
  std::int32_t add(const std::string& name);
  std::int32_t find(const std::string& name) const;  // -1: none of that name
  std::int32_t size() const { return static_cast<std::int32_t>(names_.size()); }
  const std::string& operator[](std::int32_t number) const { return names_[static_cast<std::size_t>(number)]; }
  const std::vector<std::string>& all() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::int32_t> numbers_;
};

// Some of a list, for a message: "a, b, c and 4 more".
std::string listed(const std::vector<std::string>& names, std::size_t most = 5);

}  // namespace attune
