// Likelihood over-optimisation: likelihoods, diversity and mass of the most probable tokens over the models of a run,
// and when to stop.
#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/diagnostics/overoptimisation.h"
#include "attune/diagnostics/pairs.h"
#include "attune/policy/language.h"

namespace attune::diagnostics {
namespace {

// Means over answers of means over tokens.
struct Signals {
  LikelihoodPoint point = {};
  double diversity = NAN;
};

}  // namespace

class LikelihoodOverOptimisation final : public Diagnostic {
  std::int64_t k_ = 10;
  bool renormalised_ = false;
  int samples_ = 32;
  std::int64_t max_tokens_ = 64;
  std::int64_t seed_ = 0;
  int patience_ = 2;
  int decline_ = 3;

 public:
  void describe(Fields& fields) {
    fields("k", k_, "of the most probable tokens that are looked at").above(0);
    fields("renormalised", renormalised_, "the entropy of the k probabilities scaled to sum to 1");
    fields("samples", samples_, "prompts answered by each model for the diversity across inputs; 0: not measured")
        .at_least(0);
    fields("max_tokens", max_tokens_, "of such an answer").above(0);
    fields("seed", seed_, "of the answers").at_least(0);
    fields("patience", patience_, "models in a row whose entropy has to fall behind a turn").above(0);
    fields("decline", decline_, "models in a row in which the mass has to shrink").above(0);
  }

  Demands demands() const override { return {.most_models = 10'000}; }

  ReportPage run(const Subject& subject) const override {
    const auto& records = subject.data.front().records;
    const auto pairs = compared_pairs(records);
    std::vector<Signals> run;
    ProgressLine progress("likelihoods", subject.models.size(), "models");
    for (std::size_t i = 0; i < subject.models.size(); ++i) {
      LanguageModel model = subject.models[i].load();
      LanguagePolicy policy(model, records);
      run.push_back(
          {.point = likelihoods_of(policy, records, pairs,
                                   {.k = k_, .renormalised = renormalised_, .batch_tokens = subject.batch_tokens})});
      run.back().point.step = static_cast<std::int64_t>(i) + 1;
      if (samples_ > 0) run.back().diversity = diversity(model, records, subject.text);
      progress.advance(i + 1);
    }
    return page_of(subject, run);
  }

 private:
  // One answer to each of some prompts, at temperature 1.
  double diversity(const LanguageModel& model, const std::vector<TokenRecord>& records,
                   const TextInterface& text) const {
    std::vector<GenerateRequest> requests;
    const std::size_t count = std::min(records.size(), static_cast<std::size_t>(samples_));
    for (std::size_t i = 0; i < count; ++i) {
      const TokenRecord& record = records[i * records.size() / count];
      if (record.prompt.empty()) continue;
      requests.push_back({.prompt = record.prompt,
                          .max_tokens = max_tokens_,
                          .seed = static_cast<std::uint64_t>(seed_),
                          .id = static_cast<std::int64_t>(i)});
    }
    std::vector<std::vector<std::int32_t>> texts;
    for (const auto& answers : generate(model, text, requests)) texts.push_back(answers.front().ids);
    return cross_input_diversity(texts, static_cast<double>(model.config().vocabulary));
  }

  ReportPage page_of(const Subject& subject, const std::vector<Signals>& run) const {
    ReportPage page{.title = "Likelihood over-optimisation"};
    Json rows = Json::array();
    Series chosen{.label = "chosen"}, rejected{.label = "rejected"}, entropy{.label = "H_k, bits"},
        mass{.label = "M_k"};
    std::vector<LikelihoodPoint> curve;
    for (std::size_t i = 0; i < run.size(); ++i) {
      const LikelihoodPoint& point = run[i].point;
      curve.push_back(point);
      rows.push_back(Json::object({{"model", subject.models[i].name},
                                   {"chosen", point.chosen},
                                   {"rejected", point.rejected},
                                   {"gap", point.chosen - point.rejected},
                                   {"entropy_bits", point.entropy},
                                   {"mass", point.mass},
                                   {"diversity", run[i].diversity}}));
      const auto x = static_cast<double>(point.step);
      chosen.points.emplace_back(x, point.chosen);
      rejected.points.emplace_back(x, point.rejected);
      entropy.points.emplace_back(x, point.entropy);
      mass.points.emplace_back(x, point.mass);
      page.lines.push_back(
          subject.models[i].name + ": a token of the chosen answers has " + short_number(point.chosen) +
          " nats, of the rejected " + short_number(point.rejected) + "; H_k " + short_number(point.entropy) +
          " bits, M_k " + short_number(point.mass) +
          (std::isnan(run[i].diversity) ? "." : ", diversity " + short_number(run[i].diversity) + "."));
    }
    page.json = Json::object({{"name", "likelihood-over-optimisation"},
                              {"k", k_},
                              {"renormalised", renormalised_},
                              {"models", std::move(rows)}});
    add_warnings(subject, curve, page);
    const auto plot = [&](const char* title, std::vector<Series> series) {
      page.plots.push_back({.title = title, .x_label = "model", .series = std::move(series)});
    };
    plot("Mean log-likelihood of a token", {std::move(chosen), std::move(rejected)});
    plot("Entropy of the k most probable tokens", {std::move(entropy)});
    plot("Their mass", {std::move(mass)});
    return page;
  }

  void add_warnings(const Subject& subject, std::span<const LikelihoodPoint> curve, ReportPage& page) const {
    Json rows = Json::array();
    const auto model = [&](std::int64_t step) { return subject.models[static_cast<std::size_t>(step - 1)].name; };
    for (const Warning& warning : over_optimisation_warnings(curve, {.patience = patience_, .decline = decline_})) {
      rows.push_back(
          Json::object({{"rule", name(warning.rule)}, {"model", model(warning.step)}, {"seen", model(warning.seen)}}));
      page.lines.push_back("Warning: since " + model(warning.step) + " " + std::string(sentence(warning.rule)) +
                           ". Stop there, or raise the regulariser.");
    }
    page.json.set("warnings", std::move(rows));
  }
};

ATTUNE_PART(
    Diagnostic, likelihood_over_optimisation, LikelihoodOverOptimisation,
    .summary = "likelihoods, top-k entropy and mass, diversity over a run, and when they say stop",
    .formula =
        "H_k = -sum_{i<=k} p_i log2 p_i, M_k = sum_{i<=k} p_i; EAD = distinct / (V (1 - ((V-1)/V)^C)), mean "
        "over n = 1..5; warns when H_k turns down while log pi(c) falls, M_k shrinks steadily, or H_k and log pi(c) "
        "fall on below where they began",
    .paper =
        "Shi et al. 2024, Understanding Likelihood Over-optimisation in Direct Alignment Algorithms, "
        "arXiv:2410.11677; Liu et al. 2022, arXiv:2202.13587");

}  // namespace attune::diagnostics
