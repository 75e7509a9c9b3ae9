// Gwet's AC1 and AC2: agreement beyond chance that skewed labels do not push down.
#include <algorithm>
#include <cmath>

#include "attune/statistics/answers.h"
#include "attune/statistics/ratings.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/kappa.h"

namespace attune::statistics {
namespace {

class GwetAc final : public Statistic {
  RatingsOptions ratings_;
  IntervalOptions interval_;
  KappaWeights weights_ = KappaWeights::none;

  // All values of the scale: whole steps where its ends are known, else those that were given.
  static std::vector<double> categories_of(const Ratings& ratings) {
    std::vector<double> values = ratings.values();
    if (!ratings.labels.empty()) {
      values.clear();
      for (std::size_t i = 0; i < ratings.labels.size(); ++i) values.push_back(static_cast<double>(i));
    } else if (ratings.lowest && ratings.highest) {
      constexpr double most = 1'000;
      const bool whole = std::ranges::all_of(
          values, [&](double value) { return std::floor(value - *ratings.lowest) == value - *ratings.lowest; });
      if (!whole || *ratings.highest - *ratings.lowest > most) return values;
      values.clear();
      for (double value = *ratings.lowest; value <= *ratings.highest; value += 1) values.push_back(value);
    }
    return values;
  }

 public:
  void describe(Fields& fields) {
    fields("weights", weights_, "none: AC1; linear and quadratic: AC2");
    ratings_.describe(fields);
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    const auto units = ratings.units();
    const auto categories = ratings.of_comparisons ? ratings.values() : categories_of(ratings);
    const double value = gwet_ac(units, categories, weights_);
    const auto interval = interval_.of_items(
        units, [&](std::span<const std::vector<double>> sample) { return gwet_ac(sample, categories, weights_); });
    const std::string name = weights_ == KappaWeights::none ? "AC1" : "AC2";
    ReportPage page{.json = estimate_json("gwet-ac", value, interval), .title = "Gwet's " + name};
    page.json.set("coefficient", name);
    page.json.set("categories", categories.size());
    page.json.set("items", units.size());
    page.lines.push_back("Gwet's " + name + " " + fixed(value) + interval_text(interval.interval) + ", " +
                         std::to_string(units.size()) + " items, " + std::to_string(categories.size()) +
                         " categories.");
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, gwet_ac, GwetAc,
            .summary = "agreement beyond chance that does not fall where nearly all give the same label",
            .formula = "(pa - pe) / (1 - pe), pe = sum w / (q (q - 1)) sum pi_k (1 - pi_k)",
            .paper = "Gwet 2008 (AC1); Gwet 2014, Handbook of inter-rater reliability (AC2)");

}  // namespace attune::statistics
