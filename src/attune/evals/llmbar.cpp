// LLMBar: whether a judge picks the output that follows the instruction, in both orders.
#include "attune/base/errors.h"
#include "attune/evals/eval.h"
#include "attune/evals/opinions.h"
#include "attune/evals/table_judges.h"
#include "attune/statistics/answers.h"
#include "attune/stats/kappa.h"

namespace attune::evals {
namespace {

// One item: what won in the order of the data and in the other one, as numbers of outputs; 0 where nothing could be
// read.
struct Item {
  int label = 0, first = 0, second = 0;
};

struct Cell {
  Share first = {}, second = {}, both = {}, same = {};
  std::vector<double> firsts = {}, seconds = {}, right = {};
  void add(const Item& item) {
    first.add(item.first == item.label);
    second.add(item.second == item.label);
    both.add(item.first == item.label && item.second == item.label);
    same.add(item.first == item.second);
    firsts.push_back(item.first);
    seconds.push_back(item.second);
    right.push_back((item.first == item.label ? 0.5 : 0) + (item.second == item.label ? 0.5 : 0));
  }
  double average() const { return (first.value() + second.value()) / 2; }
  Json json() const {
    return Json::object({{"accuracy_first_order", 100 * first.value()},
                         {"accuracy_second_order", 100 * second.value()},
                         {"accuracy", 100 * average()},
                         {"accuracy_both_orders", 100 * both.value()},
                         {"positional_agreement", 100 * same.value()},
                         {"kappa_of_orders", cohen_kappa(firsts, seconds, KappaWeights::none)},
                         {"n", firsts.size()}});
  }
};

class LlmBar final : public Eval {
  IntervalOptions interval_;

  // 0 where an order's verdict could not be read.
  static int output_in(const EvidenceRow& row, const std::string& column, bool may_lack) {
    const Json& cell = cell_of(row, column);
    if (may_lack && (cell.is_null() || (cell.is_string() && cell.string().empty()))) return 0;
    const double number = number_in(row, column);
    if (number != 1 && number != 2) refuse_cell(row, column, "a number that is neither output's", "1 or 2");
    return static_cast<int>(number);
  }

  // Judges' winners as its authors publish them: a row an item and judge.
  static Cell of_table(const EvalInput& input, EvalResult& result) {
    Cell all;
    Json by_judge = Json::object();
    std::int64_t unread = 0;
    for (const auto& [judge, rows] : rows_by(input.data.rows(), "evaluator")) {
      Names names;
      std::vector<Cell> cells;
      for (const EvidenceRow* row : rows) {
        const auto place =
            static_cast<std::size_t>(names.add(row->value.find("subset") == nullptr ? "all" : text_in(*row, "subset")));
        if (place == cells.size()) cells.emplace_back();
        const Item item{.label = output_in(*row, "label", false),
                        .first = output_in(*row, "winner_order1", true),
                        .second = output_in(*row, "winner_order2", true)};
        cells[place].add(item);
        all.add(item);
        unread += (item.first == 0 ? 1 : 0) + (item.second == 0 ? 1 : 0);
      }
      Json subsets = Json::object();
      for (std::size_t s = 0; s < cells.size(); ++s) subsets.set(names[static_cast<std::int32_t>(s)], cells[s].json());
      by_judge.set(judge.empty() ? "judge" : judge, std::move(subsets));
    }
    result.parts = all.json();
    result.parts.set("judges", std::move(by_judge));
    if (unread > 0) result.lines.push_back(std::to_string(unread) + " verdicts that could not be read count as wrong.");
    return all;
  }

  // Its data sets, with scores or a judge's verdicts beside them.
  static Cell of_items(const EvalInput& input, EvalResult& result) {
    const Opinions opinions(input);
    opinions.report(result);
    const Dataset& dataset = input.data.dataset();
    Cell all;
    for (std::size_t r = 0; r < dataset.records.size(); ++r) {
      const auto right = pairs(dataset.records[r]);
      const auto said = opinions.said(r, 0, 1);
      if (right.size() != 1 || said.empty()) {
        result.leave_out(said.empty() ? "items without scores of both outputs or a verdict" : "items without a label",
                         record_address(dataset, r));
        continue;
      }
      const auto output = [](double share) { return share > 0.5 ? 1 : share < 0.5 ? 2 : 0; };
      all.add({.label = right[0].chosen == 0 ? 1 : 2, .first = output(said[0]), .second = output(said.back())});
    }
    result.parts = all.json();
    return all;
  }

 public:
  void describe(Fields& fields) { interval_.describe(fields); }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "LLMBar"};
    const bool table = input.data.has_columns({"label", "winner_order1", "winner_order2"});
    const Cell all = table ? of_table(input, result) : of_items(input, result);
    if (all.right.empty()) input.data.refuse("no item that anything was said of", "at least one");
    result.score = 100 * all.average();
    result.n = all.right.size();
    const Interval interval = interval_.of_mean(all.right).interval;
    result.interval = {100 * interval.low, 100 * interval.high};
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, llmbar, LlmBar,
            .summary = "LLMBar: whether the output that follows the instruction is picked, in both orders",
            .formula = "accuracy of each order and their mean; positional agreement; Cohen's kappa of the two orders",
            .paper = "Zeng et al. 2023, Evaluating LLMs at evaluating instruction following, arXiv 2310.07641");

}  // namespace attune::evals
