// Ranking accuracy: whether the chosen answer is the likelier one, before, after, and at the optimum of the loss.
#include <algorithm>
#include <cmath>

#include "attune/diagnostics/diagnostic.h"
#include "attune/diagnostics/pairs.h"
#include "attune/diagnostics/ranking.h"

namespace attune::diagnostics {

class RankingAccuracyGap final : public Diagnostic {
  double beta_ = 0.1;
  double agreement_ = 1;
  int half_bins_ = 4;

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "of the DPO run, for the idealised accuracy").above(0);
    fields("agreement", agreement_, "share of annotators that prefer the chosen answer, where a pair has one vote only")
        .within(0.5, 1);
    fields("half_bins", half_bins_, "rows of the flip table on either side of 0").within(1, 50);
  }

  ReportPage run(const Subject& subject) const override {
    const auto& records = subject.data.front().records;
    const auto pairs = compared_pairs(records);
    const auto lengths = pair_lengths(records, pairs);
    std::vector<RankedPair> ranked(pairs.size());
    std::int64_t several = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const bool voted = pairs[i].votes > 1 || pairs[i].share < 1;
      several += voted ? 1 : 0;
      ranked[i].share = voted ? pairs[i].share : agreement_;
    }
    fill(subject.models.front(), subject, pairs, lengths, ranked, false);
    if (subject.reference) fill(*subject.reference, subject, pairs, lengths, ranked, true);
    return page_of(ranked, several, subject.reference.has_value());
  }

 private:
  static void fill(const ModelSource& source, const Subject& subject, std::span<const ComparedPair> pairs,
                   std::span<const Sides> lengths, std::vector<RankedPair>& ranked, bool reference) {
    LanguageModel model = source.load();
    const auto logps = pair_logps(model, subject.data.front().records, pairs, subject.batch_tokens);
    for (std::size_t i = 0; i < ranked.size(); ++i) {
      const double per_token = logps[i].chosen / lengths[i].chosen - logps[i].rejected / lengths[i].rejected;
      (reference ? ranked[i].reference : ranked[i].policy) = logps[i].difference();
      (reference ? ranked[i].reference_per_token : ranked[i].policy_per_token) = per_token;
    }
  }

  ReportPage page_of(std::span<const RankedPair> ranked, std::int64_t several, bool compared) const {
    const RankingAccuracy accuracy = ranking_accuracy(ranked, beta_);
    ReportPage page{.title = "Ranking accuracy"};
    page.json = Json::object({{"name", "ranking-accuracy-gap"},
                              {"pairs", ranked.size()},
                              {"pairs_with_several_votes", several},
                              {"beta", beta_},
                              {"observed", share_json(accuracy.policy)},
                              {"observed_per_token", share_json(accuracy.policy_per_token)}});
    page.lines.push_back("The model finds the chosen answer at least as likely as the rejected one in " +
                         percent(accuracy.policy.value()) + " of " + std::to_string(ranked.size()) + " pairs (" +
                         percent(accuracy.policy_per_token.value()) + " by the mean over tokens).");
    Chart chart{.title = "Pairs ranked right", .bars = {share_bar("the model", accuracy.policy)}};
    if (compared) {
      add_reference(accuracy, page, chart);
      add_flips(ranked, page);
    } else {
      page.lines.push_back("Name the model that training started from (--reference) for the gap and the flips.");
    }
    page.charts.push_back(std::move(chart));
    return page;
  }

  void add_reference(const RankingAccuracy& accuracy, ReportPage& page, Chart& chart) const {
    page.json.set("reference", share_json(accuracy.reference));
    page.json.set("reference_per_token", share_json(accuracy.reference_per_token));
    page.json.set("idealised", share_json(accuracy.idealised));
    page.json.set("gap", accuracy.gap());
    page.json.set("implicit_reward", share_json(accuracy.implicit_reward));
    page.lines.push_back("Before training it was " + percent(accuracy.reference.value()) +
                         "; the optimum of the loss would reach " + percent(accuracy.idealised.value()) +
                         ", a gap of " + percent(accuracy.gap()) + ".");
    page.lines.push_back("DPO's own accuracy, that of the implicit reward, is " +
                         percent(accuracy.implicit_reward.value()) + ": it says who gained, not who is likelier.");
    chart.bars.push_back(share_bar("the reference", accuracy.reference));
    chart.bars.push_back(share_bar("the optimum", accuracy.idealised));
    chart.bars.push_back(share_bar("the implicit reward", accuracy.implicit_reward));
  }

  void add_flips(std::span<const RankedPair> ranked, ReportPage& page) const {
    Json rows = Json::array();
    FlipRow sum;
    Chart histogram{.title = "Pairs by difficulty log ref(rejected) - log ref(chosen)", .top = 2};
    for (const FlipRow& row : flip_table(ranked, 2 * half_bins_)) {
      rows.push_back(Json::object({{"from", row.from},
                                   {"to", row.to},
                                   {"pairs", row.pairs()},
                                   {"wrong_to_right", row.wrong_to_right},
                                   {"right_to_wrong", row.right_to_wrong},
                                   {"right_to_right", row.right_to_right},
                                   {"wrong_to_wrong", row.wrong_to_wrong}}));
      sum.wrong_to_right += row.wrong_to_right;
      sum.right_to_wrong += row.right_to_wrong;
      sum.right_to_right += row.right_to_right;
      sum.wrong_to_wrong += row.wrong_to_wrong;
      char label[64];
      std::snprintf(label, sizeof label, "%.3g to %.3g", row.from, row.to);
      histogram.bars.push_back({.label = label, .value = static_cast<double>(row.pairs())});
      histogram.top = std::max(histogram.top, static_cast<double>(row.pairs()));
    }
    page.json.set("flips", Json::object({{"wrong_to_right", sum.wrong_to_right},
                                         {"right_to_wrong", sum.right_to_wrong},
                                         {"right_to_right", sum.right_to_right},
                                         {"wrong_to_wrong", sum.wrong_to_wrong}}));
    page.json.set("by_difficulty", std::move(rows));
    page.lines.push_back("Training turned " + std::to_string(sum.wrong_to_right) + " of " +
                         std::to_string(sum.wrong_to_right + sum.wrong_to_wrong) + " wrongly ranked pairs right, and " +
                         std::to_string(sum.right_to_wrong) + " of " +
                         std::to_string(sum.right_to_right + sum.right_to_wrong) + " right ones wrong.");
    page.charts.push_back(std::move(histogram));
    Plot plot{.title = "log p(chosen) - log p(rejected): before (across) and after (up)",
              .x_label = "before",
              .series = {{.label = "pairs", .mark = Series::Mark::dots}},
              .diagonal = true};
    for (const RankedPair& pair : ranked) plot.series[0].points.emplace_back(pair.reference, pair.policy);
    page.plots.push_back(std::move(plot));
  }
};

ATTUNE_PART(Diagnostic, ranking_accuracy_gap, RankingAccuracyGap,
            .summary = "how often the chosen answer is the likelier one: before, after, and at the loss's optimum",
            .formula =
                "mean 1[log pi(c) >= log pi(r)]; idealised: 1[ref(c)/ref(r) (a/(1-a))^(1/beta) > 1], a the "
                "share of annotators for c; right exactly when loss <= -log sigmoid(beta log(ref(r)/ref(c)))",
            .paper =
                "Chen et al. 2024, Preference Learning Algorithms Do Not Learn Preference Rankings, "
                "arXiv:2405.19534");

}  // namespace attune::diagnostics
