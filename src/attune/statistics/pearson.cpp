// Pearson's correlation of two columns.
#include "attune/statistics/columns.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/ranks.h"

namespace attune::statistics {
namespace {

class Pearson final : public Statistic {
  std::string x_ = "x", y_ = "y";
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) {
    fields("x", x_, "one column");
    fields("y", y_, "the other one");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    return correlation_page(paired_columns(evidence, x_, y_), interval_, "pearson", "Pearson's correlation",
                            correlation);
  }
};

}  // namespace

ATTUNE_PART(Statistic, pearson, Pearson, .summary = "whether two columns lie on a line",
            .formula = "cov(x, y) / (sd x sd y)", .paper = "Pearson 1895");

}  // namespace attune::statistics
