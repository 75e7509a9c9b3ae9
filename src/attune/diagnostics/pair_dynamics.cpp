// Pair dynamics: each pair's loss over a run, and which pairs were learned, forgotten, or never right.
#include <algorithm>
#include <cmath>

#include "attune/diagnostics/diagnostic.h"
#include "attune/diagnostics/dynamics.h"
#include "attune/diagnostics/pairs.h"
#include "attune/diagnostics/partials.h"

namespace attune::diagnostics {

enum class Right { ranking, reward };
constexpr std::array<std::pair<std::string_view, Right>, 2> enum_names(Right) {
  return {{{"ranking", Right::ranking}, {"reward", Right::reward}}};
}

class PairDynamics final : public Diagnostic {
  Choice<Objective> objective_ = objective_named("dpo");
  Right right_ = Right::ranking;

 public:
  void describe(Fields& fields) {
    fields("objective", objective_, "whose loss of each pair is followed");
    fields("right", right_, "ranking: the chosen answer is at least as likely; reward: it gained more than the other");
  }

  Demands demands() const override { return {.least_models = 2, .most_models = 10'000}; }

  ReportPage run(const Subject& subject) const override {
    const auto& records = subject.data.front().records;
    const auto pairs = compared_pairs(records);
    const auto lengths = pair_lengths(records, pairs);
    const auto logps = [&](const ModelSource& source) {
      LanguageModel model = source.load();
      return pair_logps(model, records, pairs, subject.batch_tokens);
    };
    // Without a reference, the first of the models: where the run started.
    std::vector<Sides> reference;
    if (subject.reference) reference = logps(*subject.reference);
    std::vector<PairHistory> histories(pairs.size());
    for (const ModelSource& source : subject.models) {
      const auto policy = logps(source);
      if (reference.empty()) reference = policy;
      std::vector<PairPoint> points;
      for (std::size_t i = 0; i < pairs.size(); ++i) points.push_back({policy[i], reference[i], lengths[i]});
      const auto partials = pair_partials(objective_, points);
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        const double difference = policy[i].difference(), gained = difference - reference[i].difference();
        histories[i].loss.push_back(partials[i].loss);
        histories[i].right.push_back((right_ == Right::ranking ? difference >= 0 : gained > 0) ? 1 : 0);
      }
    }
    return page_of(subject, pairs, histories);
  }

 private:
  ReportPage page_of(const Subject& subject, std::span<const ComparedPair> pairs,
                     std::span<const PairHistory> histories) const {
    const Dynamics dynamics = dynamics_of(histories);
    ReportPage page{.title = "Pair dynamics"};
    Json checkpoints = Json::array();
    for (std::size_t t = 0; t < subject.models.size(); ++t) {
      Json row = Json::object(
          {{"model", subject.models[t].name}, {"mean_loss", dynamics.mean_loss[t]}, {"right", dynamics.accuracy[t]}});
      if (t > 0) {
        const Movement& movement = dynamics.movements[t - 1];
        row.set("to_right", movement.to_right);
        row.set("to_wrong", movement.to_wrong);
        row.set("stay_right", movement.stay_right);
        row.set("stay_wrong", movement.stay_wrong);
      }
      checkpoints.push_back(std::move(row));
    }
    Json counts = Json::object();
    Chart chart{.title = "What became of the pairs"};
    std::string words;
    for (std::size_t k = 0; k < fates.size(); ++k) {
      const Share share{static_cast<double>(dynamics.by_fate[k]), static_cast<double>(pairs.size())};
      counts.set(name(fates[k]), dynamics.by_fate[k]);
      chart.bars.push_back(share_bar(std::string(name(fates[k])), share));
      words += (k > 0 ? ", " : "") + std::string(name(fates[k])) + " " + std::to_string(dynamics.by_fate[k]);
    }
    page.json = Json::object({{"name", "pair-dynamics"},
                              {"objective", objective_.name()},
                              {"right_by", right_ == Right::ranking ? "ranking" : "reward"},
                              {"pairs", pairs.size()},
                              {"fates", std::move(counts)},
                              {"forgetting_events", dynamics.forgetting_events},
                              {"checkpoints", std::move(checkpoints)},
                              {"by_pair", rows_of(subject, pairs, histories)}});
    page.lines.push_back("Of " + std::to_string(pairs.size()) + " pairs over " + std::to_string(subject.models.size()) +
                         " models: " + words + ".");
    page.lines.push_back("Right at first " + percent(dynamics.accuracy.front()) + ", at last " +
                         percent(dynamics.accuracy.back()) + "; " + std::to_string(dynamics.forgetting_events) +
                         " times a pair turned from right to wrong.");
    page.charts.push_back(std::move(chart));
    page.plots.push_back(losses(histories));
    return page;
  }

  static Json rows_of(const Subject& subject, std::span<const ComparedPair> pairs,
                      std::span<const PairHistory> histories) {
    Json rows = Json::array();
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      Json row = pair_json(subject.data.front().records, pairs[i]);
      row.set("fate", name(fate_of(histories[i].right)));
      row.set("losses", Json(Json::Array(histories[i].loss.begin(), histories[i].loss.end())));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  // Quartiles of the pairs' losses.
  static Plot losses(std::span<const PairHistory> histories) {
    Plot plot{.title = "Losses of the pairs: quartiles", .x_label = "model"};
    for (const double share : {0.25, 0.5, 0.75}) {
      Series series{.label = format_double(100 * share) + " %"};
      for (std::size_t t = 0; t < histories.front().loss.size(); ++t) {
        std::vector<double> values;
        for (const PairHistory& history : histories) values.push_back(history.loss[t]);
        std::sort(values.begin(), values.end());
        const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
        series.points.emplace_back(static_cast<double>(t + 1), values[at]);
      }
      plot.series.push_back(std::move(series));
    }
    return plot;
  }
};

ATTUNE_PART(Diagnostic, pair_dynamics, PairDynamics,
            .summary = "each pair's loss over the models of a run: learned, kept, forgotten or never right",
            .formula =
                "right: log pi(c) >= log pi(r), or log pi/ref (c) > log pi/ref (r); a pair that is right and then "
                "wrong at the next model was forgotten",
            .paper = "Toneva et al. 2019, An Empirical Study of Example Forgetting, arXiv:1812.05159");

}  // namespace attune::diagnostics
