#include "attune/reports/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace attune {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// Horizontal bars, labels to the left, values to the right, whiskers for intervals.
std::string svg_of(const Chart& chart) {
  constexpr double label_width = 230, bar_width = 380, row_height = 24;
  const double scale = chart.top > 0 ? bar_width / chart.top : 0;
  const double height = row_height * static_cast<double>(chart.bars.size()) + 8;
  std::string svg =
      "<svg viewBox=\"0 0 720 " + number(height) + "\" role=\"img\" aria-label=\"" + html_escape(chart.title) + "\">\n";
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const double y = row_height * static_cast<double>(i) + 4, middle = y + 9;
    const double length = std::clamp(bar.value, 0.0, chart.top) * scale;
    svg += "<text x=\"" + number(label_width - 8) + "\" y=\"" + number(y + 13) + "\" text-anchor=\"end\">" +
           html_escape(bar.label) + "</text>";
    svg += "<rect class=\"bar\" x=\"" + number(label_width) + "\" y=\"" + number(y) + "\" width=\"" + number(length) +
           "\" height=\"18\"/>";
    if (bar.has_interval) {
      svg += "<path class=\"whisker\" d=\"M" + number(label_width + bar.interval.low * scale) + ' ' + number(middle) +
             'H' + number(label_width + bar.interval.high * scale) + "\"/>";
    }
    const std::string value = chart.top == 1 ? percent(bar.value) : number(bar.value);
    svg +=
        "<text x=\"" + number(label_width + bar_width + 8) + "\" y=\"" + number(y + 13) + "\">" + value + "</text>\n";
  }
  return svg + "</svg>\n";
}

constexpr const char* style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 "
    "1rem;color:#1c2330;background:#fff}"
    "h2{font-size:1.05rem;margin-top:2rem}svg{width:100%;font:13px system-ui,sans-serif}svg text{fill:currentColor}"
    ".bar{fill:#4878a8}.whisker{stroke:#1c2330;stroke-width:2}"
    "@media(prefers-color-scheme:dark){body{background:#14181f;color:#dde3ec}.whisker{stroke:#dde3ec}}";

}  // namespace

std::string html_of(const ReportPage& page) {
  std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                     html_escape(page.title) + "</title><style>" + style + "</style></head><body>\n<h1>" +
                     html_escape(page.title) + "</h1>\n";
  for (const std::string& line : page.lines) html += "<p>" + html_escape(line) + "</p>\n";
  for (const Chart& chart : page.charts) html += "<h2>" + html_escape(chart.title) + "</h2>\n" + svg_of(chart);
  for (const Plot& plot : page.plots) html += "<h2>" + html_escape(plot.title) + "</h2>\n" + svg_of(plot);
  for (const HeatMap& map : page.maps) html += "<h2>" + html_escape(map.title) + "</h2>\n" + svg_of(map);
  return html + "</body></html>\n";
}

Json share_json(const Share& share) {
  const Interval interval = share.interval();
  Json bounds = Json::array();
  bounds.push_back(interval.low);
  bounds.push_back(interval.high);
  return Json::object({{"share", share.trials > 0 ? Json(share.value()) : Json()},
                       {"interval", std::move(bounds)},
                       {"n", static_cast<std::int64_t>(std::llround(share.trials))}});
}

std::string percent(double share) { return number(100 * share) + " %"; }

Bar share_bar(std::string label, const Share& share) {
  return {.label = std::move(label), .value = share.value(), .interval = share.interval(), .has_interval = true};
}

}  // namespace attune
