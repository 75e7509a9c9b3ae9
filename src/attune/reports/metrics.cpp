#include "attune/reports/metrics.h"

#include <algorithm>

namespace attune {

std::vector<Json> read_appended_rows(const Path& path) {
  std::vector<Json> rows;
  if (!std::filesystem::exists(path)) return rows;
  const std::string text = read_file(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    try {
      rows.push_back(Json::parse(std::string_view(text).substr(begin, end - begin)));
    } catch (const JsonSyntaxError&) {
      break;
    }
    begin = end + 1;
  }
  return rows;
}

Series curve_of(const std::vector<Json>& rows, const std::string& metric, std::string label) {
  Series curve{.label = std::move(label)};
  for (const Json& row : rows) {
    const Json *value = row.find(metric), *step = row.find("step");
    if (value != nullptr && value->is_number() && step != nullptr) {
      curve.points.emplace_back(step->number(), value->number());
    }
  }
  return curve;
}

const std::vector<std::vector<std::string>>& chart_groups() {
  static const std::vector<std::vector<std::string>> groups = {
      {"loss", "eval_loss"},
      {"rewards/accuracies", "eval_rewards/accuracies"},
      {"rewards/chosen", "rewards/rejected", "rewards/margins"},
      {"rankings/accuracies", "eval_rankings/accuracies"},
      {"logps/chosen", "logps/rejected"},
      {"logps/chosen_fell", "eval_logps/chosen_fell"},
      {"grad_norm"},
      {"learning_rate"},
      {"tokens_per_second"}};
  return groups;
}

}  // namespace attune
