// PandaLM's test set: a judge against the majority of three people.
#include <map>
#include <unordered_map>

#include "attune/base/errors.h"
#include "attune/evals/eval.h"
#include "attune/statistics/answers.h"
#include "attune/stats/kappa.h"

namespace attune::evals {
namespace {

constexpr const char* people[] = {"annotator1", "annotator2", "annotator3"};

struct Item {
  std::vector<double> votes = {};
  double majority = -1;  // -1: all three differ
};

class PandaLm final : public Eval {
  std::string verdict_ = "";
  IntervalOptions interval_;

  static double label_in(const EvidenceRow& row, const std::string& column) {
    const double label = number_in(row, column);
    if (label != 0 && label != 1 && label != 2) refuse_cell(row, column, "an unknown label", "0 (a tie), 1 or 2");
    return label;
  }

  static std::map<std::string, Item> items_of(const Evidence& data) {
    std::map<std::string, Item> items;
    for (const EvidenceRow& row : data.rows()) {
      Item item;
      std::map<double, int> counts;
      for (const char* who : people) {
        item.votes.push_back(label_in(row, who));
        if (++counts[item.votes.back()] > 1) item.majority = item.votes.back();
      }
      if (!items.try_emplace(text_in(row, "idx"), item).second)
        refuse_cell(row, "idx", "an id that two rows have", "one row an item");
    }
    return items;
  }

  // The judge's label; nothing where its text gave none. A word for a tie is 0.
  std::optional<double> verdict_in(const EvidenceRow& row) const {
    std::string column = verdict_;
    for (const char* known : {"pandalm_result", "gpt_result", "verdict"}) {
      if (column.empty() && row.value.find(known) != nullptr) column = known;
    }
    if (column.empty()) refuse_cell(row, "verdict", "no such column", "the judge's label", "name it: verdict=COLUMN");
    const std::string word = text_in(row, column);
    if (word == "Tie" || word == "tie" || word == "0") return 0;
    if (word == "1" || word == "2") return word == "1" ? 1 : 2;
    return std::nullopt;
  }

  static Json people_json(const std::map<std::string, Item>& items) {
    std::vector<std::vector<double>> units, columns(3);
    Json counts = Json::object({{"0", 0}, {"1", 0}, {"2", 0}, {"none", 0}});
    for (const auto& [id, item] : items) {
      units.push_back(item.votes);
      for (std::size_t i = 0; i < 3; ++i) columns[i].push_back(item.votes[i]);
      const std::string name = item.majority < 0 ? "none" : std::to_string(static_cast<int>(item.majority));
      counts.set(name, counts.find(name)->integer() + 1);
    }
    const auto kappa = [&](std::size_t a, std::size_t b) {
      return Json(cohen_kappa(columns[a], columns[b], KappaWeights::none));
    };
    return Json::object({{"cohen_kappa_12_13_23", Json::Array{kappa(0, 1), kappa(0, 2), kappa(1, 2)}},
                         {"fleiss_kappa", fleiss_kappa(units)},
                         {"krippendorff_alpha", krippendorff_alpha(units, Metric::nominal)},
                         {"majority_counts", std::move(counts)}});
  }

 public:
  void describe(Fields& fields) {
    fields("verdict", verdict_, "column of the judge's label; empty: pandalm_result, gpt_result or verdict");
    interval_.describe(fields);
  }

  // Without --verdicts: how far people agree, and how far one of them is right by the two others.
  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "PandaLM test set"};
    const auto items = items_of(input.data);
    std::vector<double> right, said, truth;
    if (input.verdicts.empty()) {
      for (const auto& [id, item] : items) right.push_back(item.votes[0] == item.majority ? 1 : 0);
      result.lines.push_back("Without --verdicts: the first annotator against the majority.");
    } else {
      read_verdicts(input, items, said, truth, result);
      for (std::size_t i = 0; i < said.size(); ++i) right.push_back(said[i] == truth[i] ? 1 : 0);
    }
    if (right.empty()) input.data.refuse("no item with a majority and a verdict", "at least one");
    result.score = 100 * plain_mean(right);
    result.n = right.size();
    const Interval interval = interval_.of_mean(right).interval;
    result.interval = {100 * interval.low, 100 * interval.high};
    result.parts = Json::object({{"people", people_json(items)}});
    if (!said.empty()) result.parts.set("kappa_with_majority", cohen_kappa(said, truth, KappaWeights::none));
    return result;
  }

 private:
  void read_verdicts(const EvalInput& input, const std::map<std::string, Item>& items, std::vector<double>& said,
                     std::vector<double>& truth, EvalResult& result) const {
    const Evidence file{input.verdicts};
    std::map<std::string, bool> seen;
    for (const EvidenceRow& row : file.rows()) {
      const std::string id = text_in(row, "idx");
      const auto item = items.find(id);
      if (item == items.end()) {
        result.leave_out("verdicts on items that the data does not have", id);
        continue;
      }
      if (!seen.try_emplace(id, true).second) refuse_cell(row, "idx", "a second verdict on the same item", "one");
      const auto verdict = verdict_in(row);
      if (!verdict || item->second.majority < 0) {
        result.leave_out(verdict ? "items without a majority" : "verdicts that could not be read", id);
        continue;
      }
      said.push_back(*verdict);
      truth.push_back(item->second.majority);
    }
    for (const auto& [id, item] : items) {
      if (!seen.contains(id)) result.leave_out("items without a verdict", id);
    }
  }
};

}  // namespace

ATTUNE_PART(
    Eval, pandalm, PandaLm, .summary = "PandaLM's test set: a judge against the majority of three people",
    .formula = "accuracy against the majority of three labels (0 a tie, 1, 2); Cohen's and Fleiss' kappa, alpha",
    .paper = "Wang et al. 2023, PandaLM, arXiv 2306.05087");

}  // namespace attune::evals
