#include "attune/train/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "attune/reports/metrics.h"

namespace attune {
namespace {

// The curves of one stage, grouped: a metric and its value on held-out data share a chart.
std::string charts_of(const std::vector<Json>& rows) {
  std::string html;
  for (const auto& names : chart_groups()) {
    Plot plot{.title = names.front(), .x_label = "step"};
    for (const auto& name : names) {
      Series curve = curve_of(rows, name, name);
      if (!curve.points.empty()) plot.series.push_back(std::move(curve));
    }
    html += svg_of(plot);
  }
  return html;
}

std::string samples_table(const RunDirectory& directory, std::int64_t step) {
  const auto rows = read_appended_rows(directory.path() / "samples" / (std::to_string(step) + ".jsonl"));
  if (rows.empty()) return "";
  std::string html =
      "<h2>Answers after step " + std::to_string(step) + "</h2><table><tr><th>prompt</th><th>answer</th></tr>";
  for (const Json& row : rows) {
    html += "<tr><td>" + html_escape(row.find("prompt")->string()) + "</td><td>" +
            html_escape(row.find("text")->string()) + "</td></tr>";
  }
  return html + "</table>\n";
}

std::string page(const RunDirectory& directory, const RunFile& run, const RunOutcome& outcome) {
  const auto rows = read_appended_rows(directory.path() / "metrics.jsonl");
  std::string html =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>attune run</title><style>"
      "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#1a202c}"
      "svg{width:520px;max-width:100%;margin:6px;font-size:11px}table{border-collapse:collapse}td,th{border:1px solid "
      "#cbd5e0;padding:4px 8px;"
      "text-align:left;vertical-align:top;white-space:pre-wrap}pre{background:#f7fafc;padding:1em;overflow:auto}"
      "</style>\n<h1>" +
      html_escape(directory.path().filename().string()) + "</h1>\n<p>" + std::to_string(outcome.steps) +
      " steps, last loss " + short_number(outcome.loss) + ".</p>\n";
  for (const Stage& stage : run.stages) {
    std::vector<Json> of_stage;
    for (const Json& row : rows) {
      const Json* name = row.find("stage");
      if (name != nullptr && *name == Json(stage.name)) of_stage.push_back(row);
    }
    html += "<h2>" + html_escape(stage.name) + "</h2>\n" + charts_of(of_stage);
  }
  html += samples_table(directory, outcome.steps);
  return html + "<h2>Run file</h2><pre>" + html_escape(run.text) + "</pre>\n</html>\n";
}

std::string card(const RunDirectory& directory, const RunFile& run, const RunOutcome& outcome) {
  const RunSettings& first = run.stages.front().settings;
  std::string text = "# Model card\n\nTrained with attune " ATTUNE_VERSION ".\n\n";
  text +=
      "- starting point: " + (first.model.path.empty() ? "random weights of " + first.model.config : first.model.path) +
      "\n";
  for (const Stage& stage : run.stages) {
    text += "- stage " + stage.name + ": ";
    for (const auto& part : stage.settings.objective) text += std::string(part.name()) + " ";
    text += "on";
    for (const auto& part : stage.settings.data.train) text += " " + part.path;
    text += "\n";
  }
  text +=
      "- steps: " + std::to_string(outcome.steps) + "\n- seed: " + std::to_string(run.seed) + "\n\n## Last metrics\n\n";
  for (const auto& [name, value] : outcome.metrics) text += "- " + name + ": " + short_number(value) + "\n";
  return text + "\nThe settings in full are in " + (directory.path() / "resolved.yaml").filename().string() + ".\n";
}

}  // namespace

void write_report(RunDirectory& directory, const RunFile& run, const RunOutcome& outcome) {
  write_durably(directory.fs(), directory.path() / "report.html", page(directory, run, outcome));
  write_durably(directory.fs(), directory.path() / "CARD.md", card(directory, run, outcome));
}

}  // namespace attune
