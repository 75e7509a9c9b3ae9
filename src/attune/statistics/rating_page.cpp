#include "attune/statistics/rating_page.h"

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

// Each number's values over the resamples.
struct Resampled {
  std::vector<std::vector<double>> ratings = {}, weights = {};
  int left_out = 0;
};

class Fit {
 public:
  Fit(const Evidence& evidence, const RatingOptions& options) : evidence_(evidence), options_(options) {
    battles_ = read_battles(evidence, options.battles);
    if (options.prior == 0) require_comparable(evidence, battles_, true);
    if (options.ties != TieModel::half) {
      for (const Match& match : battles_.matches) {
        if (match.score == 0 || match.score == 0.5 || match.score == 1) continue;
        evidence.refuse("a comparison won by a share", "won, lost or tied, for a model of ties", "set ties=half");
      }
    }
    whole_ = fit(battles_.matches, {});
    if (!whole_.converged) {
      evidence.refuse("ratings that do not converge: style or ties separate the outcomes", "a finite optimum",
                      "set prior=1, or leave a style out");
    }
    ratings_ = points(whole_);
    resample();
  }

  ReportPage page(const char* name) const {
    ReportPage page{.title = "Ratings"};
    std::vector<double> played(battles_.contestants.size(), 0);
    for (const Match& match : battles_.matches) {
      played[static_cast<std::size_t>(match.a)] += match.weight;
      played[static_cast<std::size_t>(match.b)] += match.weight;
    }
    std::vector<Rated> rated;
    Json rows = Json::array();
    for (std::size_t i = 0; i < ratings_.size(); ++i) {
      const Interval interval = interval_of(resampled_.ratings, i);
      rated.push_back({battles_.contestants[i], ratings_[i], interval, std::isfinite(interval.low)});
      rows.push_back(Json::object({{"contestant", battles_.contestants[i]},
                                   {"rating", ratings_[i]},
                                   {"interval", interval_json(interval)},
                                   {"log_odds", whole_.strengths[i]},
                                   {"comparisons", played[i]}}));
    }
    page.json = Json::object({{"name", name},
                              {"comparisons", battles_.matches.size()},
                              {"undecided", battles_.undecided},
                              {"log_likelihood", whole_.log_likelihood},
                              {"gradient", whole_.steepness},
                              {"tie_parameter", whole_.tie},
                              {"resamples_left_out", resampled_.left_out},
                              {"ratings", std::move(rows)}});
    page.lines.push_back("Ratings of " + std::to_string(ratings_.size()) + " contestants from " +
                         std::to_string(battles_.matches.size()) + " comparisons:");
    show_rated(rated, "Ratings", page);
    show_styles(page);
    return page;
  }

 private:
  BradleyTerry fit(std::span<const Match> matches, std::vector<double> start) const {
    const BradleyTerryOptions options{.ties = options_.ties,
                                      .prior = options_.prior,
                                      .features = options_.battles.style.size(),
                                      .start = std::move(start)};
    return fit_bradley_terry(matches, static_cast<std::int32_t>(battles_.contestants.size()), options, battles_.style);
  }

  std::vector<double> points(const BradleyTerry& model) const {
    std::vector<double> ratings;
    for (const double strength : model.strengths) ratings.push_back(elo_points(strength, options_.base));
    const double shift = anchor_shift(evidence_, options_, battles_.contestants, ratings);
    for (double& rating : ratings) rating += shift;
    return ratings;
  }

  void resample() {
    resampled_.ratings.resize(ratings_.size());
    resampled_.weights.resize(whole_.feature_weights.size());
    const auto contestants = static_cast<std::int32_t>(battles_.contestants.size());
    const auto once = [&](std::span<const std::size_t> drawn) {
      const auto matches = drawn_matches(battles_.matches, drawn);
      const bool finite = options_.prior > 0 || winning_groups(matches, contestants).size() == 1;
      if (!finite) return std::nan("");
      const BradleyTerry model =
          fit(battles_.style.empty() && options_.ties == TieModel::half ? merged(matches) : matches,
              options_.ties == TieModel::half ? whole_.parameters : std::vector<double>());
      const std::vector<double> ratings = points(model);
      for (std::size_t i = 0; i < ratings.size(); ++i) resampled_.ratings[i].push_back(ratings[i]);
      for (std::size_t f = 0; f < model.feature_weights.size(); ++f) {
        resampled_.weights[f].push_back(model.feature_weights[f]);
      }
      return 0.0;
    };
    if (options_.interval.resamples == 0) return;
    resampled_.left_out = bootstrap(battles_.matches.size(), once, options_.interval.bootstrap()).undefined;
  }

  Interval interval_of(const std::vector<std::vector<double>>& values, std::size_t i) const {
    return percentiles(values[i], options_.interval.level);
  }

  void show_styles(ReportPage& page) const {
    Json rows = Json::array();
    for (std::size_t f = 0; f < whole_.feature_weights.size(); ++f) {
      const Interval interval = interval_of(resampled_.weights, f);
      rows.push_back(Json::object({{"style", options_.battles.style[f]},
                                   {"log_odds", whole_.feature_weights[f]},
                                   {"interval", interval_json(interval)},
                                   {"mean", battles_.style_mean[f]},
                                   {"deviation", battles_.style_deviation[f]}}));
      page.lines.push_back("More " + options_.battles.style[f] + " (one standard deviation): " +
                           fixed(whole_.feature_weights[f]) + " log-odds" + interval_text(interval));
    }
    if (!options_.battles.style.empty()) page.json.set("styles", std::move(rows));
  }

  const Evidence& evidence_;
  const RatingOptions& options_;
  Battles battles_;
  BradleyTerry whole_;
  std::vector<double> ratings_;
  Resampled resampled_;
};

}  // namespace

void RatingOptions::describe(Fields& fields) {
  battles.describe(fields);
  fields("ties", ties, "half a win each, or an outcome of its own as Davidson or Rao and Kupper have it");
  fields("prior", prior, "half-won comparisons of each against an average one: keeps ratings finite").at_least(0);
  fields("base", base, "rating of the average");
  fields("anchor", anchor, "the contestant whose rating is given; empty: none");
  fields("anchor_rating", anchor_rating, "its rating");
  interval.describe(fields);
}

double anchor_shift(const Evidence& evidence, const RatingOptions& options, const std::vector<std::string>& contestants,
                    const std::vector<double>& ratings) {
  if (options.anchor.empty()) return 0;
  const auto place = std::find(contestants.begin(), contestants.end(), options.anchor);
  if (place == contestants.end())
    evidence.refuse("no contestant of the anchor's name", "one of " + listed(contestants));
  return options.anchor_rating - ratings[static_cast<std::size_t>(place - contestants.begin())];
}

ReportPage rating_page(const Evidence& evidence, const RatingOptions& options, const char* name) {
  return Fit(evidence, options).page(name);
}

}  // namespace attune
