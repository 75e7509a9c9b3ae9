// Spearman's rank correlation of two columns.
#include "attune/statistics/columns.h"
#include "attune/stats/ranks.h"

namespace attune::statistics {
namespace {

struct Spearman final : ColumnStatistic {
  Spearman() : ColumnStatistic("spearman", "Spearman's correlation", rank_correlation) {}
};

}  // namespace

ATTUNE_PART(Statistic, spearman, Spearman, .summary = "whether two columns order the same rows alike, by ranks",
            .formula = "the correlation of ranks, ties at their mean rank", .paper = "Spearman 1904");

}  // namespace attune::statistics
