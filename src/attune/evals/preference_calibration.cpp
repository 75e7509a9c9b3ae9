// Whether a reward model's margins, or a judge's probabilities, mean what they say on decided pairs.
#include "attune/stats/calibration.h"

#include "attune/base/errors.h"
#include "attune/evals/opinions.h"
#include "attune/statistics/answers.h"
#include "attune/stats/minimise.h"

namespace attune::evals {
namespace {

class PreferenceCalibration final : public Eval {
  int bins_ = 10;
  double temperature_ = 1;
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) {
    fields("bins", bins_, "of the reliability diagram").at_least(1);
    fields("temperature", temperature_, "divides the margins").above(0);
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    if (input.scores.empty()) throw UsageError({}, "no --scores", "a file of scores");
    EvalResult result{.title = "Expected calibration error"};
    const JoinedScores scores(input.data, input.scores);
    scores.report(result);
    const Dataset& dataset = input.data.dataset();
    std::vector<LogitOutcome> logits;
    std::vector<Forecast> forecasts;
    for (std::size_t r = 0; r < dataset.records.size(); ++r) {
      for (const Pair& pair : pairs(dataset.records[r])) {
        const auto chosen = static_cast<std::size_t>(pair.chosen), rejected = static_cast<std::size_t>(pair.rejected);
        if (!scores.has(r, chosen) || !scores.has(r, rejected)) {
          result.leave_out("pairs without scores of both answers", record_address(dataset, r));
          continue;
        }
        const double margin = scores.at(r, chosen) - scores.at(r, rejected);
        logits.push_back({margin, 1});
        forecasts.push_back({sigmoid_of(margin / temperature_), 1});
      }
    }
    if (forecasts.empty()) input.data.refuse("no pair that both answers are scored of", "at least one");
    const auto both = folded(forecasts);
    const auto bins = reliability_bins(both, bins_);
    result.score = expected_calibration_error(bins);
    result.interval = interval_
                          .of(both.size(),
                              [&](std::span<const std::size_t> drawn) {
                                std::vector<Forecast> sample;
                                for (const std::size_t i : drawn) sample.push_back(both[i]);
                                return expected_calibration_error(reliability_bins(sample, bins_));
                              })
                          .interval;
    result.n = both.size();
    const Temperature fitted = fit_temperature(logits);
    const bool fits = !fitted.separable && !fitted.useless;
    result.parts =
        Json::object({{"accuracy", 100 * forecast_accuracy(both)},
                      {"ece_equal_mass", expected_calibration_error(reliability_bins(both, bins_, Bins::equal_mass))},
                      {"mce", maximum_calibration_error(bins)},
                      {"brier", brier_score(forecasts)},
                      {"nll", negative_log_likelihood(forecasts)},
                      {"temperature", fits ? Json(fitted.value) : Json()}});
    if (!fits)
      result.lines.push_back(fitted.separable ? "Every pair is ordered rightly: no finite temperature fits best."
                                              : "The scores say nothing of the choices: no temperature helps.");
    Plot plot{.title = "Reliability",
              .x_label = "probability of the answer held better",
              .series = {{.label = "pairs"}},
              .diagonal = true};
    for (const ReliabilityBin& bin : bins) plot.series[0].points.emplace_back(bin.confidence, bin.accuracy);
    result.plots.push_back(std::move(plot));
    return result;
  }
};

}  // namespace

ATTUNE_PART(
    Eval, preference_calibration, PreferenceCalibration,
    .summary = "whether a reward model's margins are the probabilities they stand for",
    .formula = "p = sigmoid((r_c - r_r) / T), folded to p >= 1/2; ECE = sum_b n_b / n |acc_b - conf_b|; Brier; NLL",
    .paper = "Guo et al. 2017, On calibration of modern neural networks, arXiv 1706.04599");

}  // namespace attune::evals
