// Cohen's kappa of every two annotators who share items, and its mean.
#include <cmath>

#include "attune/statistics/answers.h"
#include "attune/statistics/ratings.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/kappa.h"

namespace attune::statistics {
namespace {

class CohenKappa final : public Statistic {
  RatingsOptions ratings_;
  KappaWeights weights_ = KappaWeights::none;
  int least_items_ = 1;

 public:
  void describe(Fields& fields) {
    fields("weights", weights_, "of unequal ratings: all alike, their distance, its square");
    fields("least_items", least_items_, "pairs of annotators with fewer common items are left out").at_least(1);
    ratings_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    const auto pairs = cohen_kappas(ratings.votes, weights_, least_items_);
    ReportPage page{.title = "Cohen's kappa"};
    Json rows = Json::array();
    double sum = 0, weighted = 0, items = 0, defined = 0;
    for (const RaterPair& pair : pairs) {
      const auto name = [&](std::int32_t rater) { return ratings.annotators[static_cast<std::size_t>(rater)]; };
      rows.push_back(Json::object({{"annotators", Json::Array{name(pair.first), name(pair.second)}},
                                   {"items", pair.items},
                                   {"kappa", pair.kappa}}));
      if (!std::isfinite(pair.kappa)) continue;
      sum += pair.kappa;
      weighted += pair.kappa * static_cast<double>(pair.items);
      items += static_cast<double>(pair.items);
      defined += 1;
    }
    if (defined == 0) {
      evidence.refuse("no two annotators whose kappa is defined", "two who share items that they rated differently");
    }
    page.lines.push_back("Mean kappa of " + fixed(defined, 0) + " pairs of annotators: " + fixed(sum / defined) +
                         " (weighted by common items: " + fixed(weighted / items) + ").");
    page.json = Json::object({{"name", "cohen-kappa"},
                              {"value", sum / defined},
                              {"weighted_by_items", weighted / items},
                              {"pairs_defined", static_cast<std::int64_t>(defined)},
                              {"pairs", std::move(rows)}});
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, cohen_kappa, CohenKappa,
            .summary = "agreement of every two annotators beyond what their own habits give by chance",
            .formula = "1 - sum w O / sum w E; w = [a != b], |a - b| or (a - b)^2, E the product of both margins / n",
            .paper = "Cohen 1960, 1968");

}  // namespace attune::statistics
