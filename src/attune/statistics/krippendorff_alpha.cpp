// Krippendorff's alpha: any number of annotators, missing ratings, four kinds of scale.
#include "attune/statistics/answers.h"
#include "attune/statistics/ratings.h"
#include "attune/statistics/statistic.h"

namespace attune {

constexpr auto enum_names(Metric) {
  using Name = std::pair<std::string_view, Metric>;
  return std::array{Name{"nominal", Metric::nominal}, Name{"ordinal", Metric::ordinal},
                    Name{"interval", Metric::interval}, Name{"ratio", Metric::ratio}};
}

namespace statistics {
namespace {

class KrippendorffAlpha final : public Statistic {
  RatingsOptions ratings_;
  IntervalOptions interval_;
  Metric metric_ = Metric::nominal;

 public:
  void describe(Fields& fields) {
    fields("metric", metric_,
           "what distance of two ratings means: labels, an order, numbers, numbers with a true zero");
    ratings_.describe(fields);
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    if (metric_ == Metric::ratio && ratings.values().front() < 0) {
      evidence.refuse("ratings below zero", "none of the metric ratio, which has a true zero", "set metric=interval");
    }
    std::vector<std::vector<double>> units = ratings.units();
    const std::size_t items = units.size();
    std::erase_if(units, [](const auto& unit) { return unit.size() < 2; });
    const double alpha = krippendorff_alpha(units, metric_);
    const auto interval = interval_.of_items(
        units, [&](std::span<const std::vector<double>> sample) { return krippendorff_alpha(sample, metric_); });
    ReportPage page{.json = estimate_json("krippendorff-alpha", alpha, interval), .title = "Krippendorff's alpha"};
    page.json.set("items", items);
    page.json.set("items_with_several_ratings", units.size());
    page.json.set("annotators", ratings.annotators.size());
    page.json.set("ratings", ratings.votes.size());
    page.lines.push_back("Krippendorff's alpha " + fixed(alpha) + interval_text(interval.interval) + ", " +
                         std::to_string(ratings.votes.size()) + " ratings of " + std::to_string(items) + " items by " +
                         std::to_string(ratings.annotators.size()) + " annotators.");
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, krippendorff_alpha, KrippendorffAlpha,
            .summary = "agreement beyond chance with missing ratings, on labels, orders or numbers",
            .formula =
                "1 - Do / De; distance nominal [c != k], ordinal (rank mass between)^2, interval (c - k)^2, ratio "
                "((c - k) / (c + k))^2",
            .paper = "Krippendorff 2011, Computing Krippendorff's alpha-reliability");

}  // namespace statistics
}  // namespace attune
