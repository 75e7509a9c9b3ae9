#include "attune/reports/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace attune {
namespace {

constexpr const char* colours[] = {"#2b6cb0", "#c05621", "#2f855a", "#6b46c1"};
constexpr double width = 520, height = 220, left = 60, right = 10, top = 24, bottom = 24;

std::string text_at(double x, double y, const char* anchor, const std::string& words, const std::string& colour) {
  return "<text x=\"" + short_number(x) + "\" y=\"" + short_number(y) + "\" text-anchor=\"" + anchor + "\" fill=\"" +
         colour + "\">" + html_escape(words) + "</text>";
}

std::string svg_head(double box_width, double box_height, const std::string& title) {
  return "<svg viewBox=\"0 0 " + short_number(box_width) + " " + short_number(box_height) + "\" role=\"img\"><title>" +
         html_escape(title) + "</title>";
}

bool drawable(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

// The range of what is drawn, and where a value stands on the page.
struct Axes {
  double low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY;

  void take(double x, double y) {
    low_x = std::min(low_x, x);
    high_x = std::max(high_x, x);
    low_y = std::min(low_y, y);
    high_y = std::max(high_y, y);
  }
  bool empty() const { return !(high_x >= low_x); }
  double x(double value) const {
    return left + (width - left - right) * (high_x > low_x ? (value - low_x) / (high_x - low_x) : 0.5);
  }
  double y(double value) const {
    const double span = high_y > low_y ? high_y - low_y : 1;
    return height - bottom - (height - top - bottom) * (value - low_y) / span;
  }
};

Axes axes_of(const Plot& plot) {
  Axes axes;
  for (const Series& series : plot.series) {
    for (const auto& point : series.points) {
      if (drawable(point)) axes.take(point.first, point.second);
    }
  }
  for (const Arrow& arrow : plot.arrows) {
    axes.take(arrow.x, arrow.y);
    axes.take(arrow.x + arrow.dx, arrow.y + arrow.dy);
  }
  return axes;
}

std::string frame(const Plot& plot, const Axes& axes) {
  const double bottom_y = height - bottom, right_x = width - right;
  std::string svg = "<rect x=\"" + short_number(left) + "\" y=\"" + short_number(top) + "\" width=\"" +
                    short_number(right_x - left) + "\" height=\"" + short_number(bottom_y - top) +
                    "\" fill=\"none\" stroke=\"#cbd5e0\"/>";
  const char* grey = "#718096";
  svg += text_at(left - 4, top + 8, "end", short_number(axes.high_y), grey);
  svg += text_at(left - 4, bottom_y, "end", short_number(axes.low_y), grey);
  svg += text_at(left, height - 6, "start", short_number(axes.low_x), grey);
  svg += text_at((left + right_x) / 2, height - 6, "middle", plot.x_label, grey);
  svg += text_at(right_x, height - 6, "end", short_number(axes.high_x), grey);
  const auto line = [&](double x1, double y1, double x2, double y2) {
    svg += "<line x1=\"" + short_number(x1) + "\" y1=\"" + short_number(y1) + "\" x2=\"" + short_number(x2) +
           "\" y2=\"" + short_number(y2) + "\" stroke=\"#cbd5e0\" stroke-dasharray=\"3 3\"/>";
  };
  if (axes.low_y < 0 && axes.high_y > 0) line(left, axes.y(0), right_x, axes.y(0));
  const double low = std::max(axes.low_x, axes.low_y), high = std::min(axes.high_x, axes.high_y);
  if (plot.diagonal && high > low) line(axes.x(low), axes.y(low), axes.x(high), axes.y(high));
  return svg;
}

std::string line_of(const std::vector<std::pair<double, double>>& points, const Axes& axes, const char* colour) {
  std::string places;
  for (const auto& [x, y] : points) places += short_number(axes.x(x)) + "," + short_number(axes.y(y)) + " ";
  return "<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"" + std::string(colour) + "\" points=\"" + places +
         "\"/>";
}

std::string dots_of(const std::vector<std::pair<double, double>>& points, const Axes& axes, const char* colour) {
  constexpr std::size_t most = 2'000;
  const std::size_t stride = points.size() / most + 1;
  std::string svg = "<g fill=\"" + std::string(colour) + "\" fill-opacity=\"0.6\">";
  for (std::size_t i = 0; i < points.size(); i += stride) {
    svg += "<circle r=\"2.5\" cx=\"" + short_number(axes.x(points[i].first)) + "\" cy=\"" +
           short_number(axes.y(points[i].second)) + "\"/>";
  }
  return svg + "</g>";
}

std::string arrow_of(const Arrow& arrow, const Axes& axes) {
  const double x1 = axes.x(arrow.x), y1 = axes.y(arrow.y);
  const double x2 = axes.x(arrow.x + arrow.dx), y2 = axes.y(arrow.y + arrow.dy);
  return "<line x1=\"" + short_number(x1) + "\" y1=\"" + short_number(y1) + "\" x2=\"" + short_number(x2) + "\" y2=\"" +
         short_number(y2) + "\" stroke=\"#4a5568\"/><circle r=\"1.8\" cx=\"" + short_number(x2) + "\" cy=\"" +
         short_number(y2) + "\" fill=\"#4a5568\"/>";
}

}  // namespace

std::string svg_of(const Plot& plot) {
  const Axes axes = axes_of(plot);
  if (axes.empty()) return "";
  std::string svg = svg_head(width, height, plot.title) + frame(plot, axes);
  double label_x = left + 6;
  for (const Arrow& arrow : plot.arrows) svg += arrow_of(arrow, axes);
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const Series& series = plot.series[i];
    const char* colour = colours[i % std::size(colours)];
    std::vector<std::pair<double, double>> points;
    std::copy_if(series.points.begin(), series.points.end(), std::back_inserter(points), drawable);
    const bool line = series.mark == Series::Mark::line && points.size() > 1;
    svg += line ? line_of(points, axes, colour) : dots_of(points, axes, colour);
    svg += text_at(label_x, 16, "start", series.label, colour);
    label_x += 24 + 6.5 * static_cast<double>(series.label.size());
  }
  return svg + "</svg>\n";
}

std::string svg_of(const HeatMap& map) {
  constexpr double label_width = 110, label_height = 90, cell = 18;
  double largest = std::numeric_limits<double>::min();
  for (const double value : map.values) largest = std::max(largest, std::abs(value));
  const double box_width = label_width + cell * static_cast<double>(map.columns.size()) + 20;
  const double box_height = label_height + cell * static_cast<double>(map.rows.size()) + 4;
  std::string svg = svg_head(std::max(box_width, 420.0), box_height, map.title);
  for (std::size_t c = 0; c < map.columns.size(); ++c) {
    const std::string x = short_number(label_width + cell * (static_cast<double>(c) + 0.7));
    const std::string y = short_number(label_height - 4);
    svg += "<text x=\"" + x + "\" y=\"" + y + "\" transform=\"rotate(-60 " + x + " " + y + ")\">" +
           html_escape(map.columns[c]) + "</text>";
  }
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    const double y = label_height + cell * static_cast<double>(r);
    svg += "<text x=\"" + short_number(label_width - 6) + "\" y=\"" + short_number(y + 13) + "\" text-anchor=\"end\">" +
           html_escape(map.rows[r]) + "</text>";
    for (std::size_t c = 0; c < map.columns.size(); ++c) {
      const double value = map.values[r * map.columns.size() + c];
      svg += "<rect x=\"" + short_number(label_width + cell * static_cast<double>(c)) + "\" y=\"" + short_number(y) +
             "\" width=\"17\" height=\"17\" fill=\"" + (value < 0 ? "#2b6cb0" : "#c05621") + "\" fill-opacity=\"" +
             short_number(std::sqrt(std::abs(value) / largest)) + "\"><title>" + short_number(value) +
             "</title></rect>";
    }
  }
  return svg + "</svg>\n";
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace attune
