#include "attune/evals/judged_pairs.h"

namespace attune {

void PairOptions::describe(Fields& fields) {
  fields("tie", tie, "what equal scores or an undecided judge count").within(0, 1);
  interval.describe(fields);
}

Groups judged_pairs(const EvalInput& input, const GroupOf& group, double tie, EvalResult& result) {
  const Opinions opinions(input);
  opinions.report(result);
  const Dataset& dataset = input.data.dataset();
  Groups groups;
  for (std::size_t r = 0; r < dataset.records.size(); ++r) {
    const auto all = pairs(dataset.records[r]);
    if (all.empty()) result.leave_out("records without a decided pair", record_address(dataset, r));
    for (const Pair& pair : all) {
      const auto said = opinions.said(r, pair.chosen, pair.rejected);
      if (said.empty()) {
        result.leave_out("pairs without scores of both answers or a verdict", record_address(dataset, r));
        continue;
      }
      double won = 0;
      for (const double share : said) won += decided(share, tie) / static_cast<double>(said.size());
      groups.add(group(dataset.records[r]), won);
    }
  }
  if (groups.items() == 0) input.data.refuse("no pair that both answers are scored of", "at least one");
  return groups;
}

EvalResult pair_accuracy(const EvalInput& input, const GroupOf& group, const PairOptions& options, bool macro,
                         std::string title) {
  EvalResult result{.title = std::move(title)};
  const Groups groups = judged_pairs(input, group, options.tie, result);
  const auto score = [&](const std::vector<double>& means) {
    double sum = 0, weights = 0;
    for (std::size_t g = 0; g < means.size(); ++g) {
      const double weight = macro ? 1 : static_cast<double>(groups.all()[g].values.size());
      sum += weight * means[g];
      weights += weight;
    }
    return 100 * sum / weights;
  };
  result.score = score(groups.means());
  result.interval = grouped_interval(groups, score, options.interval);
  result.n = groups.items();
  result.parts = groups_json(groups);
  result.charts.push_back(groups_chart(groups, "Accuracy"));
  return result;
}

}  // namespace attune
