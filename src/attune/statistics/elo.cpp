// Online Elo ratings, and how far they hang on the order of the comparisons.
#include "attune/base/random.h"
#include "attune/statistics/rating_page.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/online_ratings.h"

namespace attune::statistics {
namespace {

class Elo final : public Statistic {
  RatingOptions options_;
  EloOptions elo_;
  bool shuffled_ = false;

 public:
  void describe(Fields& fields) {
    options_.battles.describe(fields);
    fields("k", elo_.k, "points that one comparison can move").above(0);
    fields("start", elo_.start, "rating of a newcomer");
    fields("scale", elo_.scale, "points that make the odds 10 to 1").above(0);
    fields("anchor", options_.anchor, "the contestant whose rating is given; empty: none");
    fields("anchor_rating", options_.anchor_rating, "its rating");
    fields("shuffled", shuffled_, "answer the median over resamples in random order, as FastChat's leaderboard did");
    options_.interval.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Battles battles = read_battles(evidence, options_.battles);
    require_comparable(evidence, battles, false);
    const auto count = static_cast<std::int32_t>(battles.contestants.size());
    std::vector<double> ratings = moved(evidence, battles, elo_ratings(battles.matches, count, elo_));
    std::vector<std::vector<double>> draws(ratings.size());
    for (int i = 0; i < options_.interval.resamples; ++i) {
      Random random(static_cast<std::uint64_t>(options_.interval.seed), "elo", {i});
      std::vector<Match> drawn;
      for (std::size_t k = 0; k < battles.matches.size(); ++k) {
        drawn.push_back(battles.matches[random.below(battles.matches.size())]);
      }
      const auto once = moved(evidence, battles, elo_ratings(drawn, count, elo_));
      for (std::size_t c = 0; c < once.size(); ++c) draws[c].push_back(once[c]);
    }
    return page_of(battles, std::move(ratings), draws);
  }

 private:
  std::vector<double> moved(const Evidence& evidence, const Battles& battles, std::vector<double> ratings) const {
    const double shift = anchor_shift(evidence, options_, battles.contestants, ratings);
    for (double& rating : ratings) rating += shift;
    return ratings;
  }

  ReportPage page_of(const Battles& battles, std::vector<double> ratings,
                     const std::vector<std::vector<double>>& draws) const {
    ReportPage page{.title = "Elo ratings"};
    std::vector<Rated> rated;
    Json rows = Json::array();
    for (std::size_t i = 0; i < ratings.size(); ++i) {
      const Interval interval = percentiles(draws[i], options_.interval.level);
      if (shuffled_ && !draws[i].empty()) ratings[i] = percentiles(draws[i], 0).low;
      rated.push_back({battles.contestants[i], ratings[i], interval, draws[i].size() > 1});
      rows.push_back(Json::object(
          {{"contestant", battles.contestants[i]}, {"rating", ratings[i]}, {"interval", interval_json(interval)}}));
    }
    page.json = Json::object({{"name", "elo"},
                              {"comparisons", battles.matches.size()},
                              {"undecided", battles.undecided},
                              {"ratings", std::move(rows)}});
    page.lines.push_back("Elo ratings of " + std::to_string(ratings.size()) + " contestants after " +
                         std::to_string(battles.matches.size()) + " comparisons:");
    show_rated(rated, "Elo ratings", page);
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, elo, Elo, .summary = "ratings that move with every comparison, in the order of the rows",
            .formula = "R_a += K (score - 1 / (1 + 10^((R_b - R_a) / scale)))", .paper = "Elo 1978");

}  // namespace attune::statistics
