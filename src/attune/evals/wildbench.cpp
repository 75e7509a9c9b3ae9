// WildBench: a judge's grades of 1 to 10, as twice what they are above the middle.
#include <map>

#include "attune/evals/eval.h"
#include "attune/evals/groups.h"
#include "attune/evals/table_judges.h"

namespace attune::evals {
namespace {

double wb_score(double grade) { return 2 * (grade - 5); }

class WildBench final : public Eval {
  std::string grade_ = "score", model_ = "model", task_ = "task";
  IntervalOptions interval_;

  std::vector<double> grades_of(const std::vector<const EvidenceRow*>& rows, Groups& tasks, EvalResult& result) const {
    std::vector<double> grades;
    for (const EvidenceRow* row : rows) {
      const Json* cell = row->value.find(grade_);
      if (cell == nullptr || cell->is_null() || (cell->is_string() && cell->string().empty())) {
        result.leave_out("answers without a grade", std::to_string(row->line));
        continue;
      }
      const double grade = number_in(*row, grade_);
      if (!(grade >= 1 && grade <= 10)) refuse_cell(*row, grade_, "a grade outside of its scale", "1 to 10");
      grades.push_back(wb_score(grade));
      if (row->value.find(task_) != nullptr) tasks.add(text_in(*row, task_), grades.back());
    }
    return grades;
  }

 public:
  void describe(Fields& fields) {
    fields("grade", grade_, "column of the grade, 1 to 10");
    fields("model", model_, "column of who answered");
    fields("task", task_, "column of the kind of task, if any");
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "WildBench score"};
    Json by_model = Json::object();
    std::vector<double> all;
    for (const auto& [model, rows] : rows_by(input.data.rows(), model_)) {
      Groups tasks;
      const auto grades = grades_of(rows, tasks, result);
      if (grades.empty()) continue;
      all.insert(all.end(), grades.begin(), grades.end());
      const double score = plain_mean(grades);
      Json page = Json::object({{"score", score},
                                {"mean_grade", score / 2 + 5},
                                {"n", grades.size()},
                                {"interval", interval_json(interval_.of_mean(grades).interval)}});
      for (const Group& task : tasks.all()) page.set(task.name, task.mean());
      by_model.set(model.empty() ? "all" : model, std::move(page));
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

ATTUNE_PART(Eval, wildbench, WildBench, .summary = "WildBench: a judge's grades on a scale whose middle is 0, by model",
            .formula = "WB score = 2 (mean grade - 5)", .paper = "Lin et al. 2024, WildBench, arXiv 2406.04770");

}  // namespace attune::evals
