// Ratings from comparisons by annotators who differ in reliability.
#include "attune/stats/crowd_bt.h"
#include "attune/statistics/rating_page.h"
#include "attune/statistics/statistic.h"

namespace attune::statistics {
namespace {

class CrowdBtPart final : public Statistic {
  BattlesOptions battles_;
  CrowdBtOptions options_;
  double base_ = 1000;

 public:
  void describe(Fields& fields) {
    battles_.describe(fields);
    fields("prior", options_.prior, "half-won comparisons of each against an average one").above(0);
    fields("rater_prior", options_.rater_prior, "votes that each annotator's starting reliability stands for").above(0);
    fields("start_reliability", options_.start_reliability, "of every annotator").between(0.5, 1);
    fields("base", base_, "rating of the average");
  }

  ReportPage run(const Evidence& evidence) const override {
    const Battles battles = read_battles(evidence, battles_);
    require_comparable(evidence, battles, false);
    std::vector<RatedMatch> matches;
    for (std::size_t i = 0; i < battles.matches.size(); ++i) {
      if (battles.raters[i] < 0) {
        evidence.refuse("comparisons that do not say who made them", "an annotator for each", "use bradley-terry");
      }
      matches.push_back({battles.matches[i], battles.raters[i]});
    }
    const CrowdBt model = fit_crowd_bt(matches, static_cast<std::int32_t>(battles.contestants.size()),
                                       static_cast<std::int32_t>(battles.annotators.size()), options_);
    return page_of(battles, model);
  }

 private:
  ReportPage page_of(const Battles& battles, const CrowdBt& model) const {
    ReportPage page{.title = "Ratings and reliabilities"};
    std::vector<Rated> rated;
    Json ratings = Json::array(), annotators = Json::array();
    for (std::size_t i = 0; i < model.strengths.size(); ++i) {
      const double rating = elo_points(model.strengths[i], base_);
      rated.push_back({.name = battles.contestants[i], .value = rating});
      ratings.push_back(
          Json::object({{"contestant", battles.contestants[i]}, {"rating", rating}, {"log_odds", model.strengths[i]}}));
    }
    std::vector<std::int64_t> counts(model.reliability.size(), 0);
    for (const std::int32_t rater : battles.raters) ++counts[static_cast<std::size_t>(rater)];
    std::vector<Rated> reliable;
    for (std::size_t i = 0; i < model.reliability.size(); ++i) {
      reliable.push_back({.name = battles.annotators[i], .value = model.reliability[i]});
      annotators.push_back(Json::object(
          {{"annotator", battles.annotators[i]}, {"reliability", model.reliability[i]}, {"comparisons", counts[i]}}));
    }
    page.json = Json::object({{"name", "crowd-bt"},
                              {"comparisons", battles.matches.size()},
                              {"undecided", battles.undecided},
                              {"log_likelihood", model.log_likelihood},
                              {"gradient", model.steepness},
                              {"converged", model.converged},
                              {"ratings", std::move(ratings)},
                              {"annotators", std::move(annotators)}});
    page.lines.push_back("Ratings of " + std::to_string(rated.size()) + " contestants:");
    show_rated(rated, "Ratings", page);
    page.lines.push_back("Reliability of annotators (0.5 says nothing, below votes against):");
    show_rated(reliable, "Reliability of annotators", page);
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, crowd_bt, CrowdBtPart,
            .summary = "ratings from comparisons by annotators of different reliability, and that reliability",
            .formula = "P(r says a) = eta_r sigmoid(d) + (1 - eta_r) sigmoid(-d), d = t_a - t_b",
            .paper = "Chen et al. 2013, Pairwise ranking aggregation in a crowdsourced setting");

}  // namespace attune::statistics
