#include "attune/evals/eval.h"

#include <algorithm>
#include <cmath>

#include "attune/statistics/answers.h"

namespace attune {
namespace {

constexpr std::size_t most_named = 20;

// The numbers of nested parts as lines of text: "chat 93.6", "by_judge / gpt-4 / kappa 0.85".
void add_lines(const Json& parts, const std::string& head, int depth, std::vector<std::string>& lines) {
  for (const auto& [name, value] : parts.members()) {
    const std::string label = head.empty() ? name : head + " / " + name;
    if (value.is_object() && depth < 4) {
      add_lines(value, label, depth + 1, lines);
    } else if (value.is_number()) {
      lines.push_back(label + "  " + (value.is_integer() ? std::to_string(value.integer()) : fixed(value.number())));
    } else if (value.is_null()) {
      lines.push_back(label + "  not defined here");
    }
  }
}

Json left_out_json(const LeftOut& group) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < std::min(group.rows.size(), most_named); ++i) rows.push_back(group.rows[i]);
  return Json::object({{"why", group.why}, {"n", group.rows.size()}, {"rows", std::move(rows)}});
}

}  // namespace

void EvalResult::leave_out(std::string why, std::string row) {
  const auto known = std::find_if(left_out.begin(), left_out.end(), [&](const LeftOut& one) { return one.why == why; });
  if (known != left_out.end()) {
    known->rows.push_back(std::move(row));
  } else {
    left_out.push_back({.why = std::move(why), .rows = {std::move(row)}});
  }
}

ReportPage eval_page(std::string_view name, EvalResult result) {
  ReportPage page{.title = result.title, .charts = std::move(result.charts), .plots = std::move(result.plots)};
  page.lines.push_back(result.title + " " + fixed(result.score, 2) + interval_text(result.interval, 2) +
                       ", n = " + std::to_string(result.n) + ".");
  for (std::string& line : result.lines) page.lines.push_back(std::move(line));
  add_lines(result.parts, "", 0, page.lines);
  Json left_out = Json::array();
  for (const LeftOut& group : result.left_out) {
    page.lines.push_back("Left out: " + std::to_string(group.rows.size()) + " " + group.why + " (" +
                         listed(group.rows) + ").");
    left_out.push_back(left_out_json(group));
  }
  page.json = Json::object({{"name", name},
                            {"score", result.score},
                            {"parts", std::move(result.parts)},
                            {"n", result.n},
                            {"interval", interval_json(result.interval)},
                            {"left_out", std::move(left_out)}});
  return page;
}

}  // namespace attune
