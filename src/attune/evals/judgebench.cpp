// JudgeBench: hard pairs with one right answer, judged in both orders.
#include <map>

#include "attune/base/errors.h"
#include "attune/evals/groups.h"
#include "attune/evals/opinions.h"

namespace attune::evals {
namespace {

std::string category_of(const std::string& source) {
  if (source.starts_with("mmlu-pro")) return "Knowledge";
  if (source == "livebench-reasoning") return "Reasoning";
  if (source == "livebench-math") return "Math";
  if (source == "livecodebench") return "Coding";
  return source.empty() ? "other" : source;
}

// Decisions as its authors publish them: "A>B", "B>A" or "A=B" in the order shown, the second one with both answers
// exchanged. As what A won.
double decision_of(const EvidenceRow& row, const Json& word, bool exchanged) {
  const std::string text = text_of(word);
  if (text == "A=B" || word.is_null()) return 0.5;
  if (text != "A>B" && text != "B>A") refuse_cell(row, "decisions", "an unknown decision", "A>B, B>A or A=B");
  return (text == "A>B") != exchanged ? 1 : 0;
}

class JudgeBench final : public Eval {
  std::string judge_ = "", orders_ = "both";

  using Said = std::vector<std::vector<double>>;  // record by record, what A won in each order

  bool is_published(const EvalInput& input) const {
    return !input.verdicts.empty() && Evidence(input.verdicts).has_columns({"pair_id", "decisions"});
  }

  Said published(const EvalInput& input, EvalResult& result) const {
    RecordIndex index(input.data);
    Said said(input.data.dataset().records.size());
    const Evidence file{input.verdicts};
    std::string only = judge_;
    for (const EvidenceRow& row : file.rows()) {
      const std::string judge = row.value.find("judge") != nullptr ? text_in(row, "judge") : "";
      if (judge_.empty() && only.empty()) only = judge;
      if (judge != only) {
        if (!judge_.empty()) continue;
        refuse_cell(row, "judge", "decisions of several judges", "those of one", "choose one: judge=NAME");
      }
      const auto record = index.find(row, "pair_id");
      if (!record) continue;
      const Json& decisions = cell_of(row, "decisions");
      if (!decisions.is_array()) refuse_cell(row, "decisions", std::string(decisions.type_name()), "a list");
      auto& own = said[*record];
      if (!own.empty()) refuse_cell(row, "pair_id", "a second row of the same pair and judge", "one");
      for (std::size_t i = 0; i < decisions.size(); ++i) own.push_back(decision_of(row, decisions.items()[i], i == 1));
    }
    index.report(input.verdicts, result);
    return said;
  }

  static Said joined(const EvalInput& input, EvalResult& result) {
    const Opinions opinions(input);
    opinions.report(result);
    Said said;
    for (std::size_t r = 0; r < input.data.dataset().records.size(); ++r) said.push_back(opinions.said(r, 0, 1));
    return said;
  }

 public:
  void describe(Fields& fields) {
    fields("judge", judge_, "whose decisions, where the file has those of several");
    fields("orders", orders_, "both, or first: the order of the data only");
  }

  EvalResult run(const EvalInput& input) const override {
    if (orders_ != "both" && orders_ != "first") throw UsageError({}, "orders=" + orders_, "both or first");
    EvalResult result{.title = "JudgeBench"};
    const Said said = is_published(input) ? published(input, result) : joined(input, result);
    const Dataset& dataset = input.data.dataset();
    Groups groups;
    Share consistent;
    for (std::size_t r = 0; r < said.size(); ++r) {
      const auto right = pairs(dataset.records[r]);
      if (right.size() != 1) {
        result.leave_out("pairs without one right answer", record_address(dataset, r));
      } else if (said[r].empty()) {
        result.leave_out("pairs without scores of both answers or a decision", record_address(dataset, r));
      } else {
        double sum = 0;
        for (std::size_t i = 0; i < (orders_ == "both" ? said[r].size() : 1); ++i) sum += 2 * said[r][i] - 1;
        if (right[0].chosen != 0) sum = -sum;
        groups.add(category_of(column_of(dataset.records[r], "source").value_or("")), sum > 0 ? 1 : 0);
        if (said[r].size() > 1) consistent.add(said[r][0] == said[r][1]);
      }
    }
    if (groups.items() == 0) input.data.refuse("no pair that anything was said of", "at least one");
    const auto values = groups.values();
    result.score = 100 * plain_mean(values);
    result.n = values.size();
    const double right = result.score / 100 * static_cast<double>(result.n);
    const Interval interval = wilson_interval(right, static_cast<double>(result.n));
    result.interval = {100 * interval.low, 100 * interval.high};
    result.parts = groups_json(groups);
    result.parts.set("order_consistency", consistent.trials > 0 ? Json(100 * consistent.value()) : Json());
    result.charts.push_back(groups_chart(groups, "Accuracy"));
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, judgebench, JudgeBench,
            .summary = "JudgeBench: whether the right one of two answers is found, in both orders",
            .formula =
                "each order +1 for the right answer, -1 for the wrong one, 0 for a tie; correct iff the sum > 0; by "
                "category Knowledge, Reasoning, Math, Coding",
            .paper = "Tan et al. 2024, JudgeBench, arXiv 2410.12784");

}  // namespace attune::evals
