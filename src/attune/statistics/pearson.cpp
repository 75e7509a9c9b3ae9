// Pearson's correlation of two columns.
#include "attune/statistics/columns.h"
#include "attune/stats/ranks.h"

namespace attune::statistics {
namespace {

struct Pearson final : ColumnStatistic {
  Pearson() : ColumnStatistic("pearson", "Pearson's correlation", correlation) {}
};

}  // namespace

ATTUNE_PART(Statistic, pearson, Pearson, .summary = "whether two columns lie on a line",
            .formula = "cov(x, y) / (sd x sd y)", .paper = "Pearson 1895");

}  // namespace attune::statistics
