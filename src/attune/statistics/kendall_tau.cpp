// Kendall's tau-b of two columns.
#include "attune/statistics/columns.h"
#include "attune/stats/ranks.h"

namespace attune::statistics {
namespace {

struct KendallTau final : ColumnStatistic {
  KendallTau() : ColumnStatistic("kendall-tau", "Kendall's tau-b", kendall_tau_b) {}
};

}  // namespace

ATTUNE_PART(Statistic, kendall_tau, KendallTau,
            .summary = "whether two columns order the same rows alike, by pairs of rows",
            .formula = "(concordant - discordant) / sqrt((pairs - ties in x) (pairs - ties in y))",
            .paper = "Kendall 1945");

}  // namespace attune::statistics
