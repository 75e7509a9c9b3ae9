// A report: what a data set says about the people and answers in it, without a model. One file of this folder each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/base/json.h"
#include "attune/config/part.h"
#include "attune/data/record.h"
#include "attune/reports/plot.h"
#include "attune/stats/agreement.h"

namespace attune {

// One bar of a chart: a share with its interval, or a plain count.
struct Bar {
  std::string label = {};
  double value = 0;
  Interval interval = {};
  bool has_interval = false;
};
struct Chart {
  std::string title = {};
  double top = 1;  // the value at full length
  std::vector<Bar> bars = {};
};

struct ReportPage {
  Json json = Json::object();  // the machine's answer
  std::string title = {};
  std::vector<std::string> lines = {};  // what it says, in sentences
  std::vector<Chart> charts = {};
  std::vector<Plot> plots = {};
  std::vector<HeatMap> maps = {};
};

class Report {
 public:
  virtual ~Report() = default;
  virtual ReportPage run(const Dataset& dataset) const = 0;
  void describe(Fields&) {}
};

template <>
inline constexpr std::string_view part_kind<Report> = "report";

// One self-contained page: no script, no network, charts as inline SVG.
std::string html_of(const ReportPage& page);

// A share as {"share", "interval": [low, high], "n"}.
Json share_json(const Share& share);
std::string percent(double share);  // "62.5 %"
Bar share_bar(std::string label, const Share& share);

}  // namespace attune
