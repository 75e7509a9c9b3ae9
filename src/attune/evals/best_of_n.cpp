// Best of n: what keeping the best answer of n gives, by a proxy or by the judge itself.
#include <algorithm>
#include <map>

#include "attune/evals/eval.h"
#include "attune/evals/table_judges.h"
#include "attune/statistics/answers.h"
#include "attune/stats/best_of_n.h"
#include "attune/stats/win_rate.h"

namespace attune::evals {
namespace {

class BestOfN final : public Eval {
  std::string prompt_ = "prompt_index", candidate_ = "candidate", gold_ = "preference", proxy_ = "";
  bool preference_ = true;
  IntervalOptions interval_;

  double gold_in(const EvidenceRow& row) const {
    const double value = number_in(row, gold_);
    if (!preference_) return value;
    const double share = won_of_preference(value);
    if (!(share >= 0 && share <= 1)) refuse_cell(row, gold_, "a preference outside of its scale", "1 to 2, or 0");
    return share;
  }

  std::vector<std::vector<ScoredAnswer>> prompts_of(const EvalInput& input, Json& by_candidate, double unit) const {
    std::vector<std::vector<ScoredAnswer>> prompts;
    std::map<std::string, std::vector<double>> candidates;
    for (const auto& [prompt, rows] : rows_by(input.data.rows(), prompt_)) {
      std::map<std::string, bool> seen;
      prompts.emplace_back();
      for (const EvidenceRow* row : rows) {
        const std::string candidate = text_in(*row, candidate_);
        if (!seen.try_emplace(candidate, true).second) {
          refuse_cell(*row, candidate_, "a second row of the same candidate and prompt", "one");
        }
        const double gold = unit * gold_in(*row);
        prompts.back().push_back({.proxy = proxy_.empty() ? gold : number_in(*row, proxy_), .gold = gold});
        candidates[candidate].push_back(gold);
      }
    }
    for (const auto& [candidate, values] : candidates) by_candidate.set(candidate, plain_mean(values));
    return prompts;
  }

 public:
  void describe(Fields& fields) {
    fields("prompt", prompt_, "column of the prompt");
    fields("candidate", candidate_, "column that tells a prompt's answers apart");
    fields("gold", gold_, "column of what an answer is worth");
    fields("preference", preference_,
           "gold is 1 (the reference) to 2 (the answer), 1.5 or 0 a tie, and becomes percent won");
    fields("proxy", proxy_, "column of what the best is chosen by; empty: gold itself");
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "Best of n"};
    Json by_candidate = Json::object();
    const auto prompts = prompts_of(input, by_candidate, preference_ ? 100 : 1);
    const std::size_t most = std::min_element(prompts.begin(), prompts.end(), [](const auto& a, const auto& b) {
                               return a.size() < b.size();
                             })->size();
    Plot plot{
        .title = "Best of n", .x_label = "KL from the policy", .series = {{.label = "chosen"}, {.label = "at best"}}};
    Json curve = Json::array();
    std::vector<double> values, oracle;
    for (std::size_t n = 1; n <= most; ++n) {
      values.clear();
      oracle.clear();
      for (const auto& answers : prompts) {
        values.push_back(best_of_n_value(answers, static_cast<std::int64_t>(n)));
        std::vector<ScoredAnswer> by_gold = answers;
        for (ScoredAnswer& answer : by_gold) answer.proxy = answer.gold;
        oracle.push_back(best_of_n_value(by_gold, static_cast<std::int64_t>(n)));
      }
      const double kl = best_of_n_kl(static_cast<double>(n));
      curve.push_back(
          Json::object({{"n", n}, {"kl", kl}, {"value", plain_mean(values)}, {"oracle", plain_mean(oracle)}}));
      plot.series[0].points.emplace_back(kl, plain_mean(values));
      plot.series[1].points.emplace_back(kl, plain_mean(oracle));
    }
    result.score = plain_mean(values);
    result.n = prompts.size();
    result.interval = interval_.of_mean(values).interval;
    result.parts = Json::object({{"answers_a_prompt", most},
                                 {"random", curve.items()[0].find("value")->number()},
                                 {"oracle", plain_mean(oracle)},
                                 {"by_candidate", std::move(by_candidate)},
                                 {"curve", std::move(curve)}});
    result.plots.push_back(std::move(plot));
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, best_of_n, BestOfN,
            .summary = "what keeping the best of n answers gives, for every n, against a random and the best one",
            .formula =
                "mean over prompts of sum over subsets of size n of the gold of their best by proxy / C(N, n); KL <= "
                "log n - (n - 1) / n",
            .paper = "Nakano et al. 2021, WebGPT; Beirami et al. 2024");

}  // namespace attune::evals
