// The chance that one of k answers is right.
#include <map>

#include "attune/statistics/answers.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/best_of_n.h"

namespace attune::statistics {
namespace {

struct Tries {
  std::int64_t all = 0, right = 0;
};

class PassAtK final : public Statistic {
  std::string item_ = "item", correct_ = "correct", count_ = "n";
  std::vector<int> k_ = {1, 10, 100};
  IntervalOptions interval_;

  // Rows of one answer each, or of a problem with its numbers.
  std::vector<Tries> tries_of(const Evidence& evidence) const {
    std::vector<Tries> tries;
    Names names;
    const bool counted = evidence.has_columns({item_, correct_, count_});
    for (const EvidenceRow& row : evidence.rows()) {
      const auto item = static_cast<std::size_t>(names.add(text_in(row, item_)));
      if (item == tries.size()) {
        tries.emplace_back();
      } else if (counted) {
        refuse_cell(row, item_, "a problem that an earlier row has", "one row a problem");
      }
      const double right = number_in(row, correct_), all = counted ? number_in(row, count_) : 1;
      if (!(right >= 0 && right <= all) || right != static_cast<double>(static_cast<std::int64_t>(right))) {
        refuse_cell(row, correct_, "a number of right answers outside of its range",
                    counted ? "0 to n" : "0, 1, true or false");
      }
      tries[item].all += static_cast<std::int64_t>(all);
      tries[item].right += static_cast<std::int64_t>(right);
    }
    return tries;
  }

 public:
  void describe(Fields& fields) {
    fields("item", item_, "column of the problem");
    fields("correct", correct_, "column: whether an answer is right, or how many are");
    fields("n", count_, "column of how many answers a problem has, where a row is a problem");
    fields("k", k_, "numbers of answers; those above the fewest of a problem are left out");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const auto tries = tries_of(evidence);
    std::int64_t fewest = tries[0].all;
    for (const Tries& one : tries) fewest = std::min(fewest, one.all);
    ReportPage page{.title = "pass@k"};
    Json rows = Json::array();
    for (const int k : k_) {
      if (k < 1 || k > fewest) continue;
      std::vector<double> chances;
      for (const Tries& one : tries) chances.push_back(pass_at_k(one.all, one.right, k));
      const double value = plain_mean(chances);
      const auto interval = interval_.of_mean(chances);
      rows.push_back(Json::object({{"k", k}, {"value", value}, {"interval", interval_json(interval.interval)}}));
      page.lines.push_back("pass@" + std::to_string(k) + "  " + fixed(value) + interval_text(interval.interval));
    }
    if (rows.size() == 0) {
      evidence.refuse("problems with " + std::to_string(fewest) + " answers", "as many as the smallest k", "set k=[1]");
    }
    page.json = Json::object(
        {{"name", "pass-at-k"}, {"problems", tries.size()}, {"fewest_answers", fewest}, {"by_k", std::move(rows)}});
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, pass_at_k, PassAtK, .summary = "the chance that at least one of k answers is right",
            .formula = "mean over problems of 1 - C(n - c, k) / C(n, k)",
            .paper = "Chen et al. 2021, Evaluating large language models trained on code");

}  // namespace attune::statistics
