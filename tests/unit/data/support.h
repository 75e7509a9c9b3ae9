// What the data tests share: files on disk, rows as JSON, and comparing rows up to the order of nested members.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/data/bytes.h"
#include "attune/data/read.h"
#include "attune/data/rows.h"
#include "attune/data/write.h"
#include "support/temporary.h"

namespace attune::testing {

inline std::string write_rows(const Path& path, const std::vector<std::string>& rows) {
  std::string text;
  for (const std::string& row : rows) text += row + '\n';
  write_durably(disk(), path, compress(text, compression_of(path)));
  return path.string();
}

inline ReadResult read_text(const std::string& text, const std::string& name = "rows.jsonl") {
  const TemporaryDirectory directory;
  std::ofstream(directory / name, std::ios::binary) << text;  // no need to outlive a power failure
  return inspect_dataset({.path = (directory / name).string()});
}

inline std::vector<std::string> rows_of(const Path& path) {
  RowReader reader = open_rows(path);
  std::vector<std::string> rows;
  for (RawRow row; reader.next(row);) rows.emplace_back(row.text);
  return rows;
}

// Members inside of columns in one order; the order of the columns themselves stays.
inline Json sorted_inside(const Json& value, bool top = true) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value.items()) list.push_back(sorted_inside(item, false));
    return list;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [key, member] : value.members()) object.members().emplace_back(key, sorted_inside(member, false));
  if (!top)
    std::sort(object.members().begin(), object.members().end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
  return object;
}

inline Json row_json(const std::string& row) { return sorted_inside(Json::parse(row)); }

// Reads rows, writes them in `format` (empty: the one recognised), and returns the rows written.
inline std::vector<std::string> through(const std::vector<std::string>& rows, const std::string& format = "",
                                        bool lossy = false) {
  const TemporaryDirectory directory;
  const auto read = read_dataset({{.path = write_rows(directory / "in.jsonl", rows)}});
  const std::string name = format.empty() ? read.report.formats.front() : format;
  write_dataset(disk(), directory / "out.jsonl", read.dataset, {.format = name, .lossy = lossy});
  return rows_of(directory / "out.jsonl");
}

inline std::string what_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace attune::testing
