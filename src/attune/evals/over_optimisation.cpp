// Over-optimisation: how a gold score falls behind, or falls, as the best of n by a proxy is kept.
#include <algorithm>

#include "attune/base/errors.h"
#include "attune/evals/opinions.h"
#include "attune/statistics/answers.h"
#include "attune/stats/best_of_n.h"
#include "attune/stats/ranks.h"

namespace attune::evals {
namespace {

class OverOptimisation final : public Eval {
  std::string gold_ = "";
  IntervalOptions interval_;

  struct Prompt {
    std::vector<ScoredAnswer> gold = {}, proxy = {};  // chosen by the proxy; worth by gold, and by the proxy itself
  };

  std::vector<Prompt> prompts_of(const EvalInput& input, EvalResult& result, std::vector<double>& x,
                                 std::vector<double>& y) const {
    const JoinedScores proxy(input.data, input.scores), gold(input.data, gold_);
    proxy.report(result);
    gold.report(result);
    const Dataset& dataset = input.data.dataset();
    std::vector<Prompt> prompts;
    for (std::size_t r = 0; r < dataset.records.size(); ++r) {
      if (dataset.records[r].completions.empty() || !proxy.has_all(r) || !gold.has_all(r)) {
        result.leave_out("prompts without both scores of all answers", record_address(dataset, r));
        continue;
      }
      prompts.emplace_back();
      for (std::size_t c = 0; c < dataset.records[r].completions.size(); ++c) {
        prompts.back().gold.push_back({.proxy = proxy.at(r, c), .gold = gold.at(r, c)});
        prompts.back().proxy.push_back({.proxy = proxy.at(r, c), .gold = proxy.at(r, c)});
        x.push_back(proxy.at(r, c));
        y.push_back(gold.at(r, c));
      }
    }
    return prompts;
  }

 public:
  void describe(Fields& fields) {
    fields("gold", gold_, "file of the gold scores, as --scores").required();
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    if (input.scores.empty()) throw UsageError({}, "no --scores", "a file of the proxy's scores");
    EvalResult result{.title = "Gold lost to over-optimisation"};
    std::vector<double> x, y;
    const auto prompts = prompts_of(input, result, x, y);
    if (prompts.empty()) input.data.refuse("no prompt with both scores of all answers", "at least one");
    std::size_t most = prompts[0].gold.size();
    for (const Prompt& prompt : prompts) most = std::min(most, prompt.gold.size());
    Plot plot{.title = "Best of n", .x_label = "KL from the policy", .series = {{.label = "gold"}, {.label = "proxy"}}};
    Json curve = Json::array();
    double best = 0;
    std::size_t best_n = 0;
    std::vector<double> at_best, at_most;
    for (std::size_t n = 1; n <= most; ++n) {
      std::vector<double> gold, proxy;
      for (const Prompt& prompt : prompts) {
        gold.push_back(best_of_n_value(prompt.gold, static_cast<std::int64_t>(n)));
        proxy.push_back(best_of_n_value(prompt.proxy, static_cast<std::int64_t>(n)));
      }
      const double kl = best_of_n_kl(static_cast<double>(n));
      curve.push_back(Json::object({{"n", n}, {"kl", kl}, {"gold", plain_mean(gold)}, {"proxy", plain_mean(proxy)}}));
      plot.series[0].points.emplace_back(kl, plain_mean(gold));
      plot.series[1].points.emplace_back(kl, plain_mean(proxy));
      if (best_n == 0 || plain_mean(gold) > best) {
        best = plain_mean(gold);
        best_n = n;
        at_best = gold;
      }
      at_most = std::move(gold);
    }
    std::vector<double> lost;
    for (std::size_t i = 0; i < at_best.size(); ++i) lost.push_back(at_best[i] - at_most[i]);
    result.score = plain_mean(lost);
    result.interval = interval_.of_mean(lost).interval;
    result.n = prompts.size();
    result.parts = Json::object({{"best_n", best_n},
                                 {"gold_at_best_n", best},
                                 {"gold_at_most", plain_mean(at_most)},
                                 {"rank_correlation", rank_correlation(x, y)},
                                 {"curve", std::move(curve)}});
    result.lines.push_back(best_n == most
                               ? "Gold still rises at the largest n."
                               : "Gold is highest at n = " + std::to_string(best_n) + " and falls behind it.");
    result.plots.push_back(std::move(plot));
    return result;
  }
};

}  // namespace

ATTUNE_PART(
    Eval, over_optimisation, OverOptimisation,
    .summary = "how far a gold score falls once a proxy picks the best of more answers",
    .formula = "gold(n) = mean over prompts of the gold of the best of n by proxy; score = max_n gold(n) - gold(N)",
    .paper = "Gao et al. 2022, Scaling laws for reward model overoptimization, arXiv 2210.10760");

}  // namespace attune::evals
