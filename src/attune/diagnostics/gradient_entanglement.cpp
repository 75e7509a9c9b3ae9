// Gradient entanglement: whether a step on a pair can move its two answers in opposite directions at all.
#include <algorithm>
#include <array>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/diagnostics/entanglement.h"
#include "attune/diagnostics/partials.h"

namespace attune::diagnostics {
namespace {

constexpr std::array regimes = {Regime::good, Regime::both_rise, Regime::both_fall, Regime::still};

// What is found of one pair.
struct Entangled {
  PairGram gram = {};
  LossFactors factors = {};
  Sides change = {}, normalised_change = {};
};

// `limit` pairs spread over all, with only the records they need.
struct Sample {
  std::vector<TokenRecord> records = {};
  std::vector<ComparedPair> pairs = {};
};

Sample sample_of(const std::vector<TokenRecord>& records, std::size_t limit) {
  const auto all = compared_pairs(records);
  const std::size_t count = std::min(limit, all.size());
  Sample sample;
  for (std::size_t i = 0; i < count; ++i) {
    sample.pairs.push_back(all[i * all.size() / count]);
    sample.records.push_back(records[sample.pairs.back().record]);
    sample.pairs.back().record = i;
  }
  return sample;
}

std::vector<std::string> labels(const TokenRecord& record, std::int32_t completion, std::int64_t count,
                                const TextInterface& text) {
  std::vector<std::string> result;
  const auto& answer = record.completions[static_cast<std::size_t>(completion)];
  for (std::size_t i = 0; i < answer.ids.size() && static_cast<std::int64_t>(result.size()) < count; ++i) {
    if (answer.scored[i] == 0) continue;
    result.push_back(text.decode ? json_quote(text.decode(std::span(&answer.ids[i], 1)))
                                 : std::to_string(answer.ids[i]));
  }
  return result;
}

}  // namespace

class GradientEntanglement final : public Diagnostic {
  Choice<Objective> objective_ = objective_named("dpo");
  int pairs_ = 64;
  int maps_ = 1;
  int map_tokens_ = 24;

 public:
  void describe(Fields& fields) {
    fields("objective", objective_, "whose loss weighs the two gradients");
    fields("pairs", pairs_, "how many pairs are looked at, spread over the data: two backward passes each").above(0);
    fields("maps", maps_, "of how many of them a token map is drawn: one backward pass a token").at_least(0);
    fields("map_tokens", map_tokens_, "tokens of each answer in a map, from the first").within(1, 200);
  }

  ReportPage run(const Subject& subject) const override {
    const Sample sample = sample_of(subject.data.front().records, static_cast<std::size_t>(pairs_));
    LanguageModel model = subject.models.front().load();
    const auto policy = pair_logps(model, sample.records, sample.pairs, subject.batch_tokens);
    // Without a reference the model itself: the first step of its training.
    const auto reference = subject.reference ? reference_logps(subject, sample) : policy;
    const auto lengths = pair_lengths(sample.records, sample.pairs);
    std::vector<PairPoint> points;
    for (std::size_t i = 0; i < policy.size(); ++i) points.push_back({policy[i], reference[i], lengths[i]});
    const auto partials = pair_partials(objective_, points);
    model.trainable().require_gradients(true);
    const auto found = gradients(model, sample, partials);
    ReportPage page = page_of(sample, found);
    for (std::size_t i = 0; i < std::min(found.size(), static_cast<std::size_t>(maps_)); ++i) {
      add_map(model, sample, sample.pairs[i], subject.text, page);
    }
    return page;
  }

 private:
  static std::vector<Sides> reference_logps(const Subject& subject, const Sample& sample) {
    LanguageModel reference = subject.reference->load();
    return pair_logps(reference, sample.records, sample.pairs, subject.batch_tokens);
  }

  static std::vector<Entangled> gradients(LanguageModel& model, const Sample& sample,
                                          std::span<const PairPartials> partials) {
    std::vector<Entangled> found;
    ProgressLine progress("gradients", sample.pairs.size(), "pairs");
    for (std::size_t i = 0; i < sample.pairs.size(); ++i) {
      const auto gradient = [&](std::int32_t completion) {
        const auto place = static_cast<std::int64_t>(i);
        return logp_gradient(model, sample.records, {.record = place, .completion = completion, .prompt = place});
      };
      const Tensor chosen = gradient(sample.pairs[i].chosen);
      Entangled one{.gram = gram_of(chosen, gradient(sample.pairs[i].rejected))};
      one.factors = {-partials[i].partial.chosen, partials[i].partial.rejected};
      one.change = predicted_change(one.gram, one.factors);
      one.normalised_change = predicted_change(one.gram, normalised_factors(one.gram, one.factors));
      found.push_back(one);
      progress.advance(i + 1);
    }
    return found;
  }

  ReportPage page_of(const Sample& sample, std::span<const Entangled> found) const {
    ReportPage page{.title = "Gradient entanglement"};
    std::array<Share, regimes.size()> counts;
    Share repaired;
    Json rows = Json::array();
    Plot plot{.title = "What the other side leaves of each side's own push: 1 all of it, below 0 the wrong way",
              .x_label = "chosen (across), rejected (up)",
              .series = {{.label = "pairs", .mark = Series::Mark::dots}}};
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Entangled& one = found[i];
      const Regime regime = regime_of(one.change), after = regime_of(one.normalised_change);
      for (std::size_t k = 0; k < regimes.size(); ++k) counts[k].add(regimes[k] == regime);
      repaired.add(after == Regime::good);
      plot.series[0].points.emplace_back(one.change.chosen / (one.factors.chosen * one.gram.chosen),
                                         -one.change.rejected / (one.factors.rejected * one.gram.rejected));
      Json row = pair_json(sample.records, sample.pairs[i]);
      row.set("chosen_squared", one.gram.chosen);
      row.set("rejected_squared", one.gram.rejected);
      row.set("inner", one.gram.inner);
      row.set("cosine", one.gram.cosine());
      row.set("factors", Json(Json::Array{one.factors.chosen, one.factors.rejected}));
      row.set("predicted", Json(Json::Array{one.change.chosen, one.change.rejected}));
      row.set("regime", name(regime));
      row.set("regime_normalised", name(after));
      rows.push_back(std::move(row));
    }
    Json shares = Json::object();
    Chart chart{.title = "What a small step on a pair does to it"};
    constexpr std::array words = {"chosen up, rejected down", "both up", "both down", "neither as it should"};
    for (std::size_t k = 0; k < regimes.size(); ++k) {
      shares.set(name(regimes[k]), share_json(counts[k]));
      chart.bars.push_back(share_bar(words[k], counts[k]));
    }
    page.json = Json::object({{"name", "gradient-entanglement"},
                              {"objective", objective_.name()},
                              {"pairs", found.size()},
                              {"regimes", std::move(shares)},
                              {"good_when_normalised", share_json(repaired)},
                              {"by_pair", std::move(rows)}});
    page.lines.push_back("A small " + std::string(objective_.name()) +
                         " step on a pair raises its chosen answer and "
                         "lowers its rejected one in " +
                         percent(counts[0].value()) + " of " + std::to_string(found.size()) + " pairs; both rise in " +
                         percent(counts[1].value()) + ", both fall in " + percent(counts[2].value()) + ".");
    page.lines.push_back("With each side's gradient divided by its norm it would be " + percent(repaired.value()) +
                         ".");
    page.charts.push_back(std::move(chart));
    page.plots.push_back(std::move(plot));
    return page;
  }

  // Skipped, with a line, where one gradient a token would not fit into memory.
  void add_map(LanguageModel& model, const Sample& sample, const ComparedPair& pair, const TextInterface& text,
               ReportPage& page) const {
    constexpr std::size_t most_bytes = std::size_t{2} << 30;
    const std::size_t gradient = model.trainable().gradient().nbytes();
    const auto tokens = static_cast<std::int64_t>(
        std::min(static_cast<std::size_t>(map_tokens_), most_bytes / std::max<std::size_t>(2 * gradient, 1)));
    if (tokens == 0) {
      page.lines.push_back("No token map: one gradient a token of this model does not fit into 2 GiB.");
      return;
    }
    const TokenGram gram = token_gram(model, sample.records, pair, tokens);
    const TokenRecord& record = sample.records[pair.record];
    HeatMap map{.title = "Inner products of the tokens' gradients: chosen (down) with rejected (across), pair " +
                         address(record).str(),
                .rows = labels(record, pair.chosen, gram.rows, text),
                .columns = labels(record, pair.rejected, gram.columns, text),
                .values = gram.values};
    Json values = Json::array();
    for (std::int64_t i = 0; i < gram.rows; ++i) {
      const auto begin = gram.values.begin() + i * gram.columns;
      values.push_back(Json(Json::Array(begin, begin + gram.columns)));
    }
    Json row = pair_json(sample.records, pair);
    row.set("inner_by_token", std::move(values));
    if (page.json.find("token_maps") == nullptr) page.json.set("token_maps", Json::array());
    Json maps = *page.json.find("token_maps");
    maps.push_back(std::move(row));
    page.json.set("token_maps", std::move(maps));
    page.maps.push_back(std::move(map));
  }
};

ATTUNE_PART(Diagnostic, gradient_entanglement, GradientEntanglement,
            .summary = "whether a step on a pair can raise the chosen and lower the rejected answer at once",
            .formula =
                "d log pi(c) = d_c |g_c|^2 - d_r <g_c,g_r>, d log pi(r) = d_c <g_c,g_r> - d_r |g_r|^2; good iff "
                "<g_c,g_r> <= min(d_c/d_r |g_c|^2, d_r/d_c |g_r|^2)",
            .paper =
                "Yuan et al. 2024, A Common Pitfall of Margin-based Language Model Alignment: Gradient "
                "Entanglement, arXiv:2410.13828");

}  // namespace attune::diagnostics
