// GLAD: true labels from the ability of annotators and the difficulty of items.
#include <algorithm>

#include "attune/statistics/statistic.h"
#include "attune/statistics/truth_page.h"
#include "attune/stats/glad.h"

namespace attune::statistics {
namespace {

class GladPart final : public Statistic {
  RatingsOptions ratings_;
  GladOptions options_;

 public:
  void describe(Fields& fields) {
    ratings_.describe(fields);
    fields("precision", options_.precision, "of the normal priors on ability and log ease").above(0);
    fields("steps", options_.steps.most_iterations, "at most").at_least(1);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    const NumberedVotes numbered = label_votes(ratings);
    const Glad model = fit_glad(numbered.votes, options_);
    ReportPage page = truth_page(ratings, numbered,
                                 {.name = "glad",
                                  .title = "GLAD",
                                  .skill = "ability",
                                  .beliefs = model.beliefs,
                                  .skills = model.ability,
                                  .log_likelihood = model.likelihoods.back(),
                                  .converged = model.converged});
    Json rows = *page.json.find("items");
    for (std::size_t i = 0; i < rows.size(); ++i) rows.items()[i].set("difficulty", 1 / model.ease[i]);
    page.json.set("items", std::move(rows));
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, glad, GladPart, .summary = "true labels where some annotators are abler and some items harder",
            .formula = "P(right) = sigmoid(ability_r ease_i); EM with normal priors on ability and log ease",
            .paper = "Whitehill et al. 2009, Whose vote should count more");

}  // namespace attune::statistics
