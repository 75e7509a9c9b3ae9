// Likelihood displacement: which pairs make the chosen answer less likely, foretold and (with a reference) seen.
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "attune/diagnostics/ches.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/stats/ranks.h"

namespace attune::diagnostics {
namespace {

// What training did, for each pair: after - before.
struct Displacement {
  std::vector<Sides> change = {};
  Share chosen_fell = {};
  double chosen_mean = 0, margin_mean = 0;
};

Displacement displacement_of(const std::vector<Sides>& before, const std::vector<Sides>& after) {
  Displacement result;
  for (std::size_t i = 0; i < before.size(); ++i) {
    result.change.push_back({after[i].chosen - before[i].chosen, after[i].rejected - before[i].rejected});
    result.chosen_fell.add(result.change.back().chosen < 0);
    result.chosen_mean += result.change.back().chosen;
    result.margin_mean += result.change.back().difference();
  }
  result.chosen_mean /= static_cast<double>(before.size());
  result.margin_mean /= static_cast<double>(before.size());
  return result;
}

}  // namespace

class LikelihoodDisplacementChes final : public Diagnostic {
  bool normalised_ = true;
  double fraction_ = 0.05;
  int tokens_ = 10;

 public:
  void describe(Fields& fields) {
    fields("normalised", normalised_, "rank by the length-normalised score (false: the raw one)");
    fields("fraction", fraction_, "share of the pairs, those with the highest scores, that is flagged for removal")
        .within(0, 1);
    fields("tokens", tokens_, "how many of the tokens that gained most are listed (with a reference)").within(0, 1'000);
  }

  ReportPage run(const Subject& subject) const override {
    const auto& records = subject.data.front().records;
    const auto pairs = compared_pairs(records);
    const bool compared = subject.reference.has_value();
    const StateOptions options{subject.batch_tokens, compared && tokens_ > 0};
    // The score looks at the model before it learns: the reference, where there is one.
    const PairStates before = [&] {
      const LanguageModel model = (compared ? *subject.reference : subject.models.front()).load();
      return pair_states(model, records, pairs, options);
    }();
    ReportPage page{.title = "Likelihood displacement"};
    const std::vector<std::size_t> order = ranking(before);
    add_scores(before, order, page);
    Displacement displacement;
    if (compared) {
      const LanguageModel model = subject.models.front().load();
      const PairStates after = pair_states(model, records, pairs, options);
      displacement = displacement_of(before.logps, after.logps);
      add_displacement(before, displacement, page);
      if (options.distribution) add_tokens(after.chosen_distribution - before.chosen_distribution, subject.text, page);
    }
    Json rows = Json::array();
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      const std::size_t i = order[rank];
      Json row = pair_json(records, pairs[i]);
      row.set("ches", before.ches[i].raw);
      row.set("ches_normalised", before.ches[i].normalised);
      row.set("flagged", rank < flagged(order.size()));
      if (compared) {
        row.set("chosen_change", displacement.change[i].chosen);
        row.set("rejected_change", displacement.change[i].rejected);
      }
      rows.push_back(std::move(row));
    }
    page.json.set("ranked", std::move(rows));
    return page;
  }

 private:
  double score(const Ches& ches) const { return normalised_ ? ches.normalised : ches.raw; }

  std::size_t flagged(std::size_t pairs) const {
    return static_cast<std::size_t>(std::llround(fraction_ * static_cast<double>(pairs)));
  }

  // The highest score first: the pair that displaces most.
  std::vector<std::size_t> ranking(const PairStates& states) const {
    std::vector<std::size_t> order(states.ches.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return score(states.ches[a]) > score(states.ches[b]); });
    return order;
  }

  void add_scores(const PairStates& states, const std::vector<std::size_t>& order, ReportPage& page) const {
    double sum = 0;
    Plot plot{.title = "CHES of the pairs, highest first", .x_label = "rank", .series = {{.label = "score"}}};
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      const double value = score(states.ches[order[rank]]);
      sum += value;
      plot.series[0].points.emplace_back(static_cast<double>(rank + 1), value);
    }
    const double highest = score(states.ches[order.front()]), lowest = score(states.ches[order.back()]);
    page.json = Json::object({{"name", "likelihood-displacement-ches"},
                              {"pairs", order.size()},
                              {"ranked_by", normalised_ ? "ches_normalised" : "ches"},
                              {"mean", sum / static_cast<double>(order.size())},
                              {"highest", highest},
                              {"lowest", lowest},
                              {"fraction", fraction_},
                              {"flagged", flagged(order.size())}});
    page.lines.push_back("The higher the score, the more learning the pair lowers the chosen answer: from " +
                         short_number(lowest) + " to " + short_number(highest) + " over " +
                         std::to_string(order.size()) + " pairs. " + std::to_string(flagged(order.size())) +
                         " are flagged (" + percent(fraction_) + ").");
    page.plots.push_back(std::move(plot));
  }

  void add_displacement(const PairStates& before, const Displacement& displacement, ReportPage& page) const {
    std::vector<double> scores, drops;
    Plot plot{.title = "Change of the chosen answer's log-probability (up) against CHES (across)",
              .x_label = "CHES before training",
              .series = {{.label = "pairs", .mark = Series::Mark::dots}}};
    for (std::size_t i = 0; i < before.ches.size(); ++i) {
      scores.push_back(score(before.ches[i]));
      drops.push_back(-displacement.change[i].chosen);
      plot.series[0].points.emplace_back(scores.back(), displacement.change[i].chosen);
    }
    const double correlation = rank_correlation(scores, drops);
    page.json.set("chosen_fell", share_json(displacement.chosen_fell));
    page.json.set("mean_chosen_change", displacement.chosen_mean);
    page.json.set("mean_margin_change", displacement.margin_mean);
    page.json.set("displaced", displacement.margin_mean > 0 && displacement.chosen_mean < 0);
    page.json.set("rank_correlation", correlation);
    page.lines.push_back("Training lowered the chosen answer of " + percent(displacement.chosen_fell.value()) +
                         " of the pairs; on average its log-probability changed by " +
                         short_number(displacement.chosen_mean) + " nats and the margin by " +
                         short_number(displacement.margin_mean) + ".");
    if (displacement.margin_mean > 0 && displacement.chosen_mean < 0) {
      page.lines.push_back("That is likelihood displacement: the margin grew while the chosen answers lost.");
    }
    if (std::isfinite(correlation)) {
      page.lines.push_back(
          "Rank correlation of the score with the loss of the chosen answer: " + short_number(correlation) + ".");
    }
    page.plots.push_back(std::move(plot));
  }

  // The tokens whose mean probability at the places of chosen answers grew most: where displaced mass went.
  void add_tokens(const Tensor& gain, const TextInterface& text, ReportPage& page) const {
    const auto [values, ids] = at::topk(gain, std::min<std::int64_t>(tokens_, gain.size(0)));
    Json rows = Json::array();
    Chart chart{.title = "Tokens that gained most where chosen answers stand", .top = 1e-12};
    for (std::int64_t i = 0; i < values.size(0); ++i) {
      const auto id = static_cast<std::int32_t>(ids[i].item<std::int64_t>());
      const double value = values[i].item<double>();
      const std::string token = text.decode ? text.decode(std::span(&id, 1)) : std::string();
      rows.push_back(Json::object({{"id", id}, {"token", token}, {"gain", value}}));
      chart.bars.push_back({.label = std::to_string(id) + " " + json_quote(token), .value = 100 * value});
      chart.top = std::max(chart.top, 100 * value);
    }
    chart.title += ", in percentage points";
    page.json.set("top_gaining_tokens", std::move(rows));
    page.charts.push_back(std::move(chart));
  }
};

ATTUNE_PART(Diagnostic, likelihood_displacement_ches, LikelihoodDisplacementChes,
            .summary = "which pairs push the chosen answer down: foretold by CHES, and seen against a reference",
            .formula =
                "S(y) = sum_k h(x, y_<k); CHES = <S(c), S(r)> - |S(c)|^2; normalised: <S(c), S(r)> / (|c| |r|) - "
                "|S(c)|^2 / |c|^2   (definition 2)",
            .paper = "Razin et al. 2024, Unintentional Unalignment: Likelihood Displacement in DPO, arXiv:2410.08847");

}  // namespace attune::diagnostics
