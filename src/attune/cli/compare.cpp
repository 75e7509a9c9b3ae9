// `attune compare`: runs side by side, what they were told and how they went.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "attune/base/errors.h"
#include "attune/cli/answer.h"
#include "attune/cli/verbs.h"
#include "attune/config/node.h"
#include "attune/reports/metrics.h"
#include "attune/reports/plot.h"

namespace attune {
namespace {

struct ComparedRun {
  std::string path = {}, name = {};
  std::map<std::string, std::string> settings = {};  // of resolved.yaml, flattened: "optimizer.adamw.lr"
  std::vector<Json> rows = {};
};

void flatten(const ConfigNode& node, const std::string& path, std::map<std::string, std::string>& settings) {
  const auto inside = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& [key, value] : node.members) flatten(value, inside(key), settings);
  for (std::size_t i = 0; i < node.items.size(); ++i) flatten(node.items[i], inside(std::to_string(i)), settings);
  if (node.kind == ConfigNode::Kind::scalar) settings[path] = node.text;
}

ComparedRun read_run(const std::string& path) {
  const Path folder = path;
  ComparedRun run{.path = path,
                  .name = folder.filename().empty() ? folder.parent_path().filename() : folder.filename()};
  flatten(read_yaml(folder / "resolved.yaml"), "", run.settings);
  run.rows = read_appended_rows(folder / "metrics.jsonl");
  if (run.rows.empty()) throw DataError({.file = (folder / "metrics.jsonl").string()}, "a run without any step");
  return run;
}

// Folders of one name go by their paths.
void tell_apart(std::vector<ComparedRun>& runs) {
  std::map<std::string, int> count;
  for (const auto& run : runs) ++count[run.name];
  for (auto& run : runs) {
    if (count[run.name] > 1) run.name = run.path;
  }
}

// Keys whose values are not the same in all runs; where a run writes to says nothing.
std::vector<std::string> differing_settings(const std::vector<ComparedRun>& runs) {
  std::set<std::string> keys;
  for (const auto& run : runs) {
    for (const auto& [key, value] : run.settings) keys.insert(key);
  }
  std::vector<std::string> result;
  for (const auto& key : keys) {
    std::set<std::string> values;
    for (const auto& run : runs) values.insert(run.settings.contains(key) ? run.settings.at(key) : "");
    if (values.size() > 1 && key != "out" && !key.ends_with(".out")) result.push_back(key);
  }
  return result;
}

// The last value of every metric.
std::map<std::string, double> last_metrics(const ComparedRun& run) {
  std::map<std::string, double> result;
  for (const Json& row : run.rows) {
    for (const auto& [name, value] : row.members()) {
      if (value.is_number()) result[name] = value.number();
    }
  }
  return result;
}

// Metrics that all runs have, those of the charts first.
std::vector<std::string> common_metrics(const std::vector<ComparedRun>& runs) {
  std::vector<std::string> names;
  const auto everywhere = [&](const std::string& name) {
    return std::all_of(runs.begin(), runs.end(), [&](const auto& run) { return last_metrics(run).contains(name); });
  };
  for (const auto& group : chart_groups()) {
    std::copy_if(group.begin(), group.end(), std::back_inserter(names), everywhere);
  }
  return names;
}

std::string table_of(const std::vector<ComparedRun>& runs) {
  std::vector<std::vector<std::string>> table{{""}};
  for (const auto& run : runs) table[0].push_back(run.name);
  for (const auto& key : differing_settings(runs)) {
    table.push_back({key});
    for (const auto& run : runs) table.back().push_back(run.settings.contains(key) ? run.settings.at(key) : "-");
  }
  for (const auto& name : common_metrics(runs)) {
    table.push_back({"last " + name});
    for (const auto& run : runs) table.back().push_back(short_number(last_metrics(run).at(name)));
  }
  std::vector<std::size_t> widths(table[0].size(), 0);
  for (const auto& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : table) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string page_of(const std::vector<ComparedRun>& runs) {
  std::string html =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>attune compare</title><style>"
      "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#1a202c}"
      "svg{width:520px;max-width:100%;margin:6px;font-size:11px}pre{background:#f7fafc;padding:1em;overflow:auto}"
      "</style>\n<h1>Runs side by side</h1>\n<pre>" +
      html_escape(table_of(runs)) + "</pre>\n";
  for (const auto& group : chart_groups()) {
    for (const auto& metric : group) {
      Plot plot{.title = metric, .x_label = "step"};
      for (const auto& run : runs) {
        Series curve = curve_of(run.rows, metric, run.name);
        if (!curve.points.empty()) plot.series.push_back(std::move(curve));
      }
      html += svg_of(plot);
    }
  }
  return html + "</html>\n";
}

Json json_of(const std::vector<ComparedRun>& runs) {
  const auto keys = differing_settings(runs);
  Json list = Json::array();
  for (const auto& run : runs) {
    Json settings = Json::object(), metrics = Json::object();
    for (const auto& key : keys) settings.set(key, run.settings.contains(key) ? Json(run.settings.at(key)) : Json());
    for (const auto& [name, value] : last_metrics(run)) metrics.set(name, value);
    list.push_back(
        Json::object({{"run", run.path}, {"settings", std::move(settings)}, {"metrics", std::move(metrics)}}));
  }
  return Json::object({{"runs", std::move(list)}});
}

}  // namespace

int run_compare(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const auto html = arguments.option("--html");
  std::vector<ComparedRun> runs;
  for (const auto& path : arguments.rest(1, 100, "RUN RUN ...")) runs.push_back(read_run(path));
  tell_apart(runs);
  if (html) write_durably(disk(), *html, page_of(runs));
  Answer answer;
  if (json) {
    answer.document(json_of(runs));
  } else {
    answer.text(table_of(runs));
  }
  answer.finish();
  return 0;
}

}  // namespace attune
