// Kendall's tau-b of two columns.
#include "attune/statistics/columns.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/ranks.h"

namespace attune::statistics {
namespace {

class KendallTau final : public Statistic {
  std::string x_ = "x", y_ = "y";
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) {
    fields("x", x_, "one column");
    fields("y", y_, "the other one");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    return correlation_page(paired_columns(evidence, x_, y_), interval_, "kendall-tau", "Kendall's tau-b",
                            kendall_tau_b);
  }
};

}  // namespace

ATTUNE_PART(Statistic, kendall_tau, KendallTau,
            .summary = "whether two columns order the same rows alike, by pairs of rows",
            .formula = "(concordant - discordant) / sqrt((pairs - ties in x) (pairs - ties in y))",
            .paper = "Kendall 1945");

}  // namespace attune::statistics
