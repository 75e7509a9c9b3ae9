// Ratings with length, lists and other styles held equal.
#include "attune/statistics/rating_page.h"
#include "attune/statistics/statistic.h"

namespace attune::statistics {
namespace {

class StyleControl final : public Statistic {
  RatingOptions options_;

 public:
  StyleControl() { options_.battles.style = {"tokens"}; }
  void describe(Fields& fields) { options_.describe(fields); }

  ReportPage run(const Evidence& evidence) const override {
    if (options_.battles.style.empty()) evidence.refuse("no style", "at least one, as style=[tokens]");
    return rating_page(evidence, options_, "style-control");
  }
};

}  // namespace

ATTUNE_PART(Statistic, style_control, StyleControl,
            .summary = "ratings as if the answers had been equally long, listed, bold, ...",
            .formula = "P(a beats b) = sigmoid(t_a - t_b + w . z), z = standardised (s_a - s_b) / (s_a + s_b)",
            .paper = "Li et al. 2024, Does style matter? (FastChat, rating_systems.py)");

}  // namespace attune::statistics
