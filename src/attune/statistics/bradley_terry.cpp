// Bradley and Terry's ratings, ties in three ways.
#include "attune/statistics/rating_page.h"
#include "attune/statistics/statistic.h"

namespace attune::statistics {
namespace {

class BradleyTerryPart final : public Statistic {
  RatingOptions options_;

 public:
  void describe(Fields& fields) { options_.describe(fields); }
  ReportPage run(const Evidence& evidence) const override { return rating_page(evidence, options_, "bradley-terry"); }
};

}  // namespace

ATTUNE_PART(Statistic, bradley_terry, BradleyTerryPart,
            .summary = "ratings of models or answers from comparisons of two, with bootstrap intervals",
            .formula =
                "P(a beats b) = sigmoid(t_a - t_b); rating = base + 400 t / ln 10; Davidson: odds of a tie nu "
                "sqrt(p_a p_b); Rao-Kupper: P(a) = sigmoid(d - eta)",
            .paper = "Bradley and Terry 1952; Davidson 1970; Rao and Kupper 1967");

}  // namespace attune::statistics
