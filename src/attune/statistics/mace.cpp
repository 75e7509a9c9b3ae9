// MACE: true labels from annotators who know or spam.
#include "attune/stats/mace.h"
#include "attune/statistics/statistic.h"
#include "attune/statistics/truth_page.h"

namespace attune::statistics {
namespace {

class MacePart final : public Statistic {
  RatingsOptions ratings_;
  MaceOptions options_;
  int seed_ = 0;

 public:
  void describe(Fields& fields) {
    ratings_.describe(fields);
    fields("variational", options_.variational,
           "the paper's Bayesian training; false: maximum likelihood with smoothing");
    fields("restarts", options_.restarts, "random starts, the best of which counts").at_least(1);
    fields("steps", options_.iterations, "of each start").at_least(1);
    fields("prior", options_.prior, "of the beta distribution of competence").above(0);
    fields("spam_prior", options_.spam_prior, "of the Dirichlet distribution of how one spams").above(0);
    fields("smoothing", options_.smoothing, "added to every count, where not variational").above(0);
    fields("seed", seed_, "of the starts").at_least(0);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    const NumberedVotes numbered = label_votes(ratings);
    MaceOptions options = options_;
    options.seed = static_cast<std::uint64_t>(seed_);
    const Mace model = fit_mace(numbered.votes, options);
    return truth_page(ratings, numbered,
                      {.name = "mace",
                       .title = "MACE",
                       .skill = "competence",
                       .beliefs = model.beliefs,
                       .skills = model.competence,
                       .log_likelihood = model.likelihoods.back()});
  }
};

}  // namespace

ATTUNE_PART(Statistic, mace, MacePart, .summary = "true labels from annotators who know the answer or spam",
            .formula = "P(said l | true k) = theta_r [l = k] + (1 - theta_r) xi_rl",
            .paper = "Hovy et al. 2013, Learning whom to trust with MACE");

}  // namespace attune::statistics
