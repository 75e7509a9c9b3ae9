// Times reading preference data on one thread, from files in the page cache.
//
//   bench_json_lines records PATH    rows to records, as `attune train` and `attune data inspect` read them
//   bench_json_lines columns PATH    every row parsed and its columns counted, as `attune data columns`
//
// Answers one JSON object: bytes of the file, seconds, rows, and for `columns` the bytes of each column's strings.
#include <chrono>
#include <cstdio>
#include <string>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/base/threads.h"
#include "attune/data/columns.h"
#include "attune/data/read.h"

namespace {

using attune::Json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

Json time_records(const std::string& path) {
  const auto begin = Clock::now();
  const auto read = attune::inspect_dataset({.path = path});
  return Json::object(
      {{"seconds", seconds_since(begin)}, {"rows", read.report.rows}, {"bad_rows", read.report.bad_rows}});
}

Json time_columns(const std::string& path) {
  const auto begin = Clock::now();
  const auto read = attune::count_columns(path);
  const double seconds = seconds_since(begin);
  Json bytes = Json::object();
  for (const auto& column : read.columns) bytes.set(column.name, column.bytes);
  return Json::object(
      {{"seconds", seconds}, {"rows", read.rows}, {"bad_rows", read.bad_rows}, {"string_bytes", std::move(bytes)}});
}

}  // namespace

int main(int count, char** words) {
  const std::string what = count == 3 ? words[1] : "";
  if (what != "records" && what != "columns") {
    std::fprintf(stderr, "usage: bench_json_lines records|columns PATH\n");
    return 64;
  }
  attune::set_thread_count(1);
  Json answer = what == "records" ? time_records(words[2]) : time_columns(words[2]);
  answer.set("bytes", static_cast<std::int64_t>(std::filesystem::file_size(words[2])));
  std::printf("%s\n", answer.str().c_str());
}
