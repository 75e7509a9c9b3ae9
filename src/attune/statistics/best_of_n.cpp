// What best-of-n sampling would give, from more answers a prompt than n.
#include <cmath>
#include <map>

#include "attune/stats/best_of_n.h"

#include "attune/statistics/answers.h"
#include "attune/statistics/statistic.h"

namespace attune::statistics {
namespace {

class BestOfN final : public Statistic {
  std::string item_ = "item", proxy_ = "score", gold_ = "gold";
  IntervalOptions interval_;

  std::vector<std::vector<ScoredAnswer>> prompts_of(const Evidence& evidence) const {
    std::vector<std::vector<ScoredAnswer>> prompts;
    Names names;
    for (const EvidenceRow& row : evidence.rows()) {
      const auto prompt = static_cast<std::size_t>(names.add(text_in(row, item_)));
      if (prompt == prompts.size()) prompts.emplace_back();
      prompts[prompt].push_back({.proxy = number_in(row, proxy_), .gold = number_in(row, gold_)});
    }
    return prompts;
  }

 public:
  void describe(Fields& fields) {
    fields("item", item_, "column of the prompt that an answer belongs to");
    fields("proxy", proxy_, "column of what the best is chosen by");
    fields("gold", gold_, "column of what an answer is worth");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const auto prompts = prompts_of(evidence);
    std::size_t most = prompts[0].size();
    for (const auto& answers : prompts) most = std::min(most, answers.size());
    ReportPage page{.title = "Best of n"};
    Plot plot{.title = "Worth of the best of n", .x_label = "KL from the policy: log n - (n - 1) / n"};
    plot.series = {{.label = "chosen by " + proxy_}, {.label = "chosen by " + gold_}};
    Json rows = Json::array();
    for (std::size_t n = 1; n <= most; ++n) {
      const auto count = static_cast<std::int64_t>(n);
      std::vector<double> by_proxy, by_gold;
      for (std::vector<ScoredAnswer> answers : prompts) {
        by_proxy.push_back(best_of_n_value(answers, count));
        for (ScoredAnswer& answer : answers) answer.proxy = answer.gold;
        by_gold.push_back(best_of_n_value(answers, count));
      }
      const double value = plain_mean(by_proxy), oracle = plain_mean(by_gold);
      const double kl = best_of_n_kl(static_cast<double>(n));
      const auto interval = interval_.of_mean(by_proxy);
      rows.push_back(Json::object({{"n", n},
                                   {"kl", kl},
                                   {"value", value},
                                   {"interval", interval_json(interval.interval)},
                                   {"oracle", oracle}}));
      plot.series[0].points.emplace_back(kl, value);
      plot.series[1].points.emplace_back(kl, oracle);
      page.lines.push_back("n = " + std::to_string(n) + "  KL " + fixed(kl) + "  " + fixed(value) +
                           interval_text(interval.interval) + "  at best " + fixed(oracle));
    }
    page.json = Json::object({{"name", "best-of-n"}, {"prompts", prompts.size()}, {"by_n", std::move(rows)}});
    page.plots.push_back(std::move(plot));
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, best_of_n, BestOfN,
            .summary = "what keeping the best of n answers gives for every n, and the KL it costs",
            .formula = "sum over subsets of size n of the gold of their best / C(N, n); KL <= log n - (n - 1) / n",
            .paper = "Nakano et al. 2021, WebGPT; Beirami et al. 2024");

}  // namespace attune::statistics
