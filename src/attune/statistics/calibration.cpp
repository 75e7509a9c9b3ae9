// Whether probabilities mean what they say: of a table, or of a reward's margins on pairs.
#include "attune/stats/calibration.h"

#include <algorithm>
#include <cmath>

#include "attune/statistics/answers.h"
#include "attune/statistics/score_rows.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/minimise.h"

namespace attune {

enum class PairsAs { folded, both };
constexpr auto enum_names(PairsAs) {
  using Name = std::pair<std::string_view, PairsAs>;
  return std::array{Name{"folded", PairsAs::folded}, Name{"both", PairsAs::both}};
}

namespace statistics {
namespace {

struct Forecasts {
  std::vector<Forecast> rows = {};        // as they are asked about
  std::vector<LogitOutcome> logits = {};  // the same before any folding; empty where a probability is 0 or 1
  bool of_pairs = false;
};

class Calibration final : public Statistic {
  std::string probability_ = "probability", label_ = "label", logit_ = "", scores_ = "";
  int bins_ = 10;
  double temperature_ = 1;
  PairsAs pairs_ = PairsAs::folded;
  IntervalOptions interval_;

  Forecasts of_table(const Evidence& evidence) const {
    Forecasts result;
    bool finite = true;
    for (const EvidenceRow& row : evidence.rows()) {
      const double outcome = number_in(row, label_);
      if (!(outcome >= 0 && outcome <= 1)) refuse_cell(row, label_, "a label outside of [0, 1]", "0, 1 or a share");
      double logit = 0;
      if (!logit_.empty()) {
        logit = number_in(row, logit_);
      } else {
        const double p = number_in(row, probability_);
        if (!(p >= 0 && p <= 1)) {
          refuse_cell(row, probability_, "a probability outside of [0, 1]", "one inside",
                      "set logit=COLUMN for scores");
        }
        logit = log_odds_of(p);
        if (temperature_ == 1) result.rows.push_back({p, outcome});
      }
      finite = finite && std::isfinite(logit);
      result.logits.push_back({logit, outcome});
      if (temperature_ != 1 || !logit_.empty()) result.rows.push_back({sigmoid_of(logit / temperature_), outcome});
    }
    if (!finite) result.logits.clear();
    return result;
  }

  Forecasts of_pairs(const Evidence& evidence) const {
    Forecasts result{.of_pairs = true};
    std::vector<Forecast> plain;
    for (const ScoredPair& pair : scored_pairs(evidence, scores_)) {
      result.logits.push_back({pair.chosen - pair.rejected, 1});
      plain.push_back({sigmoid_of((pair.chosen - pair.rejected) / temperature_), 1});
    }
    result.rows = pairs_ == PairsAs::folded ? folded(plain) : both_ways(plain);
    return result;
  }

  static Json bins_json(const std::vector<ReliabilityBin>& bins) {
    Json rows = Json::array();
    for (const ReliabilityBin& bin : bins) {
      rows.push_back(Json::object({{"low", bin.low},
                                   {"high", bin.high},
                                   {"confidence", bin.confidence},
                                   {"accuracy", bin.accuracy},
                                   {"count", bin.count}}));
    }
    return rows;
  }

  static Json temperature_json(const Forecasts& forecasts, ReportPage& page) {
    if (forecasts.logits.empty()) return {};
    const Temperature fitted = fit_temperature(forecasts.logits);
    if (fitted.separable)
      page.lines.push_back("Every outcome is on the side foreseen: no finite temperature fits best.");
    if (fitted.useless) page.lines.push_back("The scores say nothing of the outcomes: no temperature helps.");
    const bool fits = !fitted.separable && !fitted.useless;
    if (fits) {
      page.lines.push_back("Temperature " + fixed(fitted.value) + " fits best: NLL " + fixed(fitted.before) + " to " +
                           fixed(fitted.after) + ".");
    }
    return Json::object({{"value", fits ? Json(fitted.value) : Json()},
                         {"nll_before", fitted.before},
                         {"nll_after", fitted.after},
                         {"separable", fitted.separable},
                         {"useless", fitted.useless}});
  }

 public:
  void describe(Fields& fields) {
    fields("probability", probability_, "column of the probability that the label is 1");
    fields("label", label_, "column of what happened: 1, 0, true, false, or a share");
    fields("logit", logit_, "instead of probability: column of scores, whose sigmoid it is");
    fields("scores", scores_, "for preference data: a file as `attune score` writes it; empty: the data's own ratings");
    fields("bins", bins_, "of the reliability diagram").at_least(1);
    fields("temperature", temperature_, "divides the scores").above(0);
    fields("pairs", pairs_, "of preference data: fold each to p >= 1/2, or count both orders");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const bool table = scores_.empty() && evidence.has_columns({logit_.empty() ? probability_ : logit_, label_});
    const Forecasts forecasts = table ? of_table(evidence) : of_pairs(evidence);
    const auto wide = reliability_bins(forecasts.rows, bins_);
    const auto mass = reliability_bins(forecasts.rows, bins_, Bins::equal_mass);
    const double error = expected_calibration_error(wide);
    const auto interval = interval_.of(forecasts.rows.size(), [&](std::span<const std::size_t> drawn) {
      std::vector<Forecast> sample;
      for (const std::size_t row : drawn) sample.push_back(forecasts.rows[row]);
      return expected_calibration_error(reliability_bins(sample, bins_));
    });
    ReportPage page{.title = "Calibration"};
    page.lines.push_back("Expected calibration error " + fixed(error) + interval_text(interval.interval) + " in " +
                         std::to_string(bins_) + " equal bins, " + fixed(expected_calibration_error(mass)) +
                         " in bins of equal mass; Brier score " + fixed(brier_score(forecasts.rows)) + ", NLL " +
                         fixed(negative_log_likelihood(forecasts.rows)) + ", accuracy " +
                         percent(forecast_accuracy(forecasts.rows)) + ", n = " + std::to_string(forecasts.rows.size()) +
                         ".");
    Json temperature = temperature_json(forecasts, page);
    page.json =
        Json::object({{"name", "calibration"},
                      {"n", forecasts.rows.size()},
                      {"pairs", forecasts.of_pairs ? Json(pairs_ == PairsAs::folded ? "folded" : "both") : Json()},
                      {"ece", error},
                      {"ece_interval", interval_json(interval.interval)},
                      {"ece_equal_mass", expected_calibration_error(mass)},
                      {"mce", maximum_calibration_error(wide)},
                      {"brier", brier_score(forecasts.rows)},
                      {"nll", negative_log_likelihood(forecasts.rows)},
                      {"accuracy", forecast_accuracy(forecasts.rows)},
                      {"auc", area_under_curve(forecasts.rows)},
                      {"temperature", std::move(temperature)},
                      {"bins", bins_json(wide)},
                      {"bins_equal_mass", bins_json(mass)}});
    Plot plot{.title = "Reliability", .x_label = "what was foreseen", .diagonal = true};
    for (const auto& [bins, label] : {std::pair(&wide, "equal width"), std::pair(&mass, "equal mass")}) {
      plot.series.push_back({.label = label, .mark = Series::Mark::line});
      for (const ReliabilityBin& bin : *bins) plot.series.back().points.emplace_back(bin.confidence, bin.accuracy);
    }
    page.plots.push_back(std::move(plot));
    return page;
  }
};

}  // namespace

ATTUNE_PART(
    Statistic, calibration, Calibration,
    .summary = "whether probabilities, or a reward's margins, mean what they say; and the temperature that would",
    .formula = "ECE = sum_b n_b / n |acc_b - conf_b|; Brier mean (p - y)^2; NLL; pairs: p = sigmoid(r_c - r_r)",
    .paper = "Naeini et al. 2015; Guo et al. 2017");

}  // namespace statistics
}  // namespace attune
