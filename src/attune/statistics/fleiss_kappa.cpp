// Fleiss' kappa: several ratings an item, by whomever.
#include <cmath>

#include "attune/statistics/answers.h"
#include "attune/statistics/ratings.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/kappa.h"

namespace attune::statistics {
namespace {

class FleissKappa final : public Statistic {
  RatingsOptions ratings_;
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) {
    ratings_.describe(fields);
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    const auto units = ratings.units();
    for (const auto& unit : units) {
      if (unit.size() == units[0].size() && unit.size() > 1) continue;
      evidence.refuse(
          "items with " + std::to_string(units[0].size()) + " and with " + std::to_string(unit.size()) + " ratings",
          "the same number, at least two, of every item", "use krippendorff-alpha or gwet-ac");
    }
    const double kappa = fleiss_kappa(units);
    const auto interval = interval_.of_items(units, fleiss_kappa);
    ReportPage page{.json = estimate_json("fleiss-kappa", kappa, interval), .title = "Fleiss' kappa"};
    page.json.set("items", units.size());
    page.json.set("ratings_an_item", units[0].size());
    page.lines.push_back("Fleiss' kappa " + fixed(kappa) + interval_text(interval.interval) + ", " +
                         std::to_string(units.size()) + " items with " + std::to_string(units[0].size()) +
                         " ratings each.");
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, fleiss_kappa, FleissKappa,
            .summary = "agreement beyond chance of equally many ratings an item, whoever gave them",
            .formula = "(mean P_i - sum p_k^2) / (1 - sum p_k^2), P_i = (sum_k n_ik^2 - n) / (n (n - 1))",
            .paper = "Fleiss 1971");

}  // namespace attune::statistics
