// Spearman's rank correlation of two columns.
#include "attune/statistics/columns.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/ranks.h"

namespace attune::statistics {
namespace {

class Spearman final : public Statistic {
  std::string x_ = "x", y_ = "y";
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) {
    fields("x", x_, "one column");
    fields("y", y_, "the other one");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    return correlation_page(paired_columns(evidence, x_, y_), interval_, "spearman", "Spearman's correlation",
                            rank_correlation);
  }
};

}  // namespace

ATTUNE_PART(Statistic, spearman, Spearman, .summary = "whether two columns order the same rows alike, by ranks",
            .formula = "the correlation of ranks, ties at their mean rank", .paper = "Spearman 1904");

}  // namespace attune::statistics
