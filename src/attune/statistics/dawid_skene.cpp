// Dawid and Skene's model: true labels and every annotator's table of errors.
#include "attune/stats/dawid_skene.h"
#include "attune/statistics/statistic.h"
#include "attune/statistics/truth_page.h"

namespace attune::statistics {
namespace {

class DawidSkenePart final : public Statistic {
  RatingsOptions ratings_;
  DawidSkeneOptions options_ = {.smoothing = 0.01};
  bool confusions_ = false;

 public:
  void describe(Fields& fields) {
    ratings_.describe(fields);
    fields("smoothing", options_.smoothing, "added to every count; 0: maximum likelihood").at_least(0);
    fields("steps", options_.steps.most_iterations, "at most").at_least(1);
    fields("confusions", confusions_, "answer every annotator's table too: rows true, columns said");
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    const NumberedVotes numbered = label_votes(ratings);
    const DawidSkene model = fit_dawid_skene(numbered.votes, options_);
    const auto accuracies = rater_accuracies(model);
    ReportPage page = truth_page(ratings, numbered,
                                 {.name = "dawid-skene",
                                  .title = "Dawid and Skene's model",
                                  .skill = "accuracy",
                                  .beliefs = model.beliefs,
                                  .skills = accuracies,
                                  .log_likelihood = model.likelihoods.back(),
                                  .converged = model.converged});
    Json prior = Json::array();
    for (const double share : model.prior) prior.push_back(share);
    page.json.set("prior", std::move(prior));
    if (!confusions_) return page;
    Json tables = Json::array();
    for (const double share : model.confusion) tables.push_back(share);
    page.json.set("confusions", std::move(tables));
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, dawid_skene, DawidSkenePart,
            .summary = "true labels from annotators who each confuse labels in their own way",
            .formula = "P(said l | true k, annotator r) = pi_rkl; EM from the shares of votes",
            .paper = "Dawid and Skene 1979");

}  // namespace attune::statistics
