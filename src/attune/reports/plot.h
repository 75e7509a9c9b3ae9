// Plots of pages: curves, dots, arrows and heat maps as inline SVG. No script, no network, a few kilobytes each.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attune {

struct Series {
  enum class Mark { line, dots };
  std::string label = {};
  std::vector<std::pair<double, double>> points = {};  // values that are not finite are left out
  Mark mark = Mark::line;
};

// From (x, y) by (dx, dy), in the units of the axes.
struct Arrow {
  double x = 0, y = 0, dx = 0, dy = 0;
};

struct Plot {
  std::string title = {};
  std::string x_label = {};
  std::vector<Series> series = {};
  std::vector<Arrow> arrows = {};
  bool diagonal = false;  // the line y = x, where both axes mean the same
};

// Empty when there is nothing to draw. Of more than 2,000 dots a series, every n-th is drawn.
std::string svg_of(const Plot& plot);

// A grid of cells, one colour above zero and another below, the stronger the larger the value (as its square root, so
// that small ones are seen).
struct HeatMap {
  std::string title = {};
  std::vector<std::string> rows = {}, columns = {};  // labels; their number is the grid's
  std::vector<double> values = {};                   // row by row
};

std::string svg_of(const HeatMap& map);

std::string short_number(double value);          // four significant digits: "0.1234", "1.2e+06"
std::string html_escape(std::string_view text);  // for text and attributes of a page

}  // namespace attune
