// MT-bench and benches like it: a judge's grades of single answers, by model and turn.
#include <map>

#include "attune/evals/eval.h"
#include "attune/evals/table_judges.h"
#include "attune/statistics/answers.h"

namespace attune::evals {
namespace {

class MtBench final : public Eval {
  std::string grade_ = "score", model_ = "model", turn_ = "turn", category_ = "category";
  IntervalOptions interval_;

  // Nothing where the judge's text gave no grade (-1).
  std::optional<double> grade_in(const EvidenceRow& row, EvalResult& result) const {
    const Json& cell = cell_of(row, grade_);
    const bool empty = cell.is_null() || (cell.is_string() && cell.string().empty());
    if (!empty && number_in(row, grade_) != -1) {
      const double grade = number_in(row, grade_);
      if (!(grade >= 1 && grade <= 10)) refuse_cell(row, grade_, "a grade outside of its scale", "1 to 10, or -1");
      return grade;
    }
    result.leave_out("answers whose grade could not be read", std::to_string(row.line));
    return std::nullopt;
  }

  Json model_json(const std::vector<const EvidenceRow*>& rows, std::vector<double>& all, EvalResult& result) const {
    std::vector<double> grades;
    std::map<std::string, std::vector<double>> by_part;
    for (const EvidenceRow* row : rows) {
      const auto grade = grade_in(*row, result);
      if (!grade) continue;
      grades.push_back(*grade);
      for (const std::string* column : {&turn_, &category_}) {
        const Json* cell = row->value.find(*column);
        if (cell == nullptr || cell->is_null() || text_of(*cell).empty()) continue;
        by_part[(column == &turn_ ? "turn " : "") + text_of(*cell)].push_back(*grade);
      }
    }
    if (grades.empty()) return {};
    all.insert(all.end(), grades.begin(), grades.end());
    Json page = Json::object({{"score", plain_mean(grades)},
                              {"n", grades.size()},
                              {"interval", interval_json(interval_.of_mean(grades).interval)}});
    for (const auto& [name, values] : by_part) page.set(name, plain_mean(values));
    return page;
  }

 public:
  void describe(Fields& fields) {
    fields("grade", grade_, "column of the grade: 1 to 10; -1, null or nothing where the judge gave none");
    fields("model", model_, "column of who answered");
    fields("turn", turn_, "column of the turn");
    fields("category", category_, "column of the question's category, if any");
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "Mean grade"};
    Json by_model = Json::object();
    std::vector<double> all;
    for (const auto& [model, rows] : rows_by(input.data.rows(), model_)) {
      Json page = model_json(rows, all, result);
      if (!page.is_null()) by_model.set(model.empty() ? "all" : model, std::move(page));
    }
    if (all.empty()) input.data.refuse("no grade", "a column " + grade_ + " of grades");
    result.score = plain_mean(all);
    result.n = all.size();
    result.interval = interval_.of_mean(all).interval;
    result.parts = Json::object({{"models", std::move(by_model)}});
    if (result.parts.find("models")->size() > 1)
      result.lines.push_back("The score is the mean over all models' answers.");
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, mt_bench, MtBench,
            .summary = "a judge's grades of single answers, by model, turn and category (MT-bench)",
            .formula = "mean over questions and turns of the grade, 1 to 10; unread grades left out",
            .paper = "Zheng et al. 2023, Judging LLM-as-a-judge, arXiv 2306.05685");

}  // namespace attune::evals
