// A benchmark: data, and what a reward model, a judge or another program said of it, as one published number. One file
// of this folder each; no model is run here.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "attune/config/part.h"
#include "attune/reports/report.h"
#include "attune/statistics/evidence.h"

namespace attune {

// What a benchmark is asked about. Paths; empty: not given.
struct EvalInput {
  Evidence data = {};
  std::string scores = {};    // {"record", "completion", "score"} a row, as `attune score` writes it
  std::string verdicts = {};  // {"record", "a", "b", "p_a", "order"} a row, as a judge writes it
  std::string outputs = {};   // a model's answers
  std::string baseline = {};  // what it is compared with
};

// Rows that do not count in the score, and why.
struct LeftOut {
  std::string why = {};
  std::vector<std::string> rows = {};  // their addresses
};

struct EvalResult {
  std::string title = {};
  double score = 0;  // on the published scale
  Json parts = Json::object();
  std::size_t n = 0;  // items that count
  Interval interval = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  std::vector<LeftOut> left_out = {};
  std::vector<std::string> lines = {};  // beyond score and parts
  std::vector<Chart> charts = {};
  std::vector<Plot> plots = {};

  void leave_out(std::string why, std::string row);
};

// {"name", "score", "parts", "n", "interval", "left_out": [{"why", "n", "rows": the first 20}]}, the same in sentences.
ReportPage eval_page(std::string_view name, EvalResult result);

class Eval {
 public:
  virtual ~Eval() = default;
  // Throws DataError where the rows do not fit the benchmark or nothing is left to score, UsageError where an input is
  // missing.
  virtual EvalResult run(const EvalInput& input) const = 0;
  void describe(Fields&) {}
};

template <>
inline constexpr std::string_view part_kind<Eval> = "eval";

}  // namespace attune
