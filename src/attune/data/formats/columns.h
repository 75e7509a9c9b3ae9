// The columns of a row, as formats take and give them: what a format knows goes into fields, the rest travels unparsed.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/format.h"

namespace attune::formats {

// Reading. Columns taken are the format's; all others end in the record's extra_json, in their order.
class Columns {
 public:
  Columns(const Row& row, RowContext& context);

  const Json* take(std::string_view key);                                  // nullptr when absent
  const Json* require(std::string_view key, const std::string& expected);  // reports its absence
  void leave(std::string_view key);                                        // it travels unparsed after all
  std::string_view raw(std::string_view key) const;
  bool has(std::string_view key) const { return !raw(key).empty(); }
  std::optional<double> number(std::string_view key);  // null travels unparsed; another type is reported

  // `id`, `tools`, unknown columns (images too), and where the nodes come from: the file with `dialect` and the
  // order of the columns as its layout.
  void finish(Record& record, const Json& dialect = Json::object());
  // The same without looking for an `id`, for formats that name it otherwise.
  void finish_identified(Record& record, const Json& dialect = Json::object());

 private:
  void take_id(Record& record);
  void take_tools(Record& record);
  const Row& row_;
  RowContext& context_;
  std::vector<bool> taken_;
};

// What `finish` noted about the record's rows; an empty object when they came from another format.
Json layout_of(const Record& record, const Dataset& dataset, std::string_view format);

// Writing: puts known columns and extra_json into the order of the layout. In rows that came in this format (they have
// a layout) an extra column wins over the known one of its name: it is there because its exact form had to be kept.
class RowText {
 public:
  void set(std::string_view key, std::string raw_value) { known_.emplace_back(std::string(key), std::move(raw_value)); }
  std::string finish(const Record& record, const Json& layout);
  std::string finish_identified(const Record& record, const Json& layout);  // without an `id` of its own

 private:
  std::vector<std::pair<std::string, std::string>> known_;
};

// The record's raw extra column, or empty.
std::string_view extra_column(const Record& record, std::string_view key);

}  // namespace attune::formats
