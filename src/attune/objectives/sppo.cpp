// Self-play preference optimisation with the probabilities that answers win; sppo_hard takes them as 1 and 0.
#include <ATen/ops/index_select.h>

#include <cmath>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

enum class SppoScores { reward, win_probability };
constexpr auto enum_names(SppoScores) {
  return std::array{std::pair{std::string_view("reward"), SppoScores::reward},
                    std::pair{std::string_view("win_probability"), SppoScores::win_probability}};
}

class Sppo final : public PairObjective {
  SppoScores score_ = SppoScores::reward;

 public:
  Sppo() : PairObjective({.beta = 1e-3}) {}

  void describe(Fields& fields) {
    describe_beta(fields, "1 / eta: the log-ratio of an answer is pulled to (P(it wins) - 1/2) / beta");
    fields("score", score_,
           "what the data's scores are: rewards s, P the mean of sigmoid(s - s') over the record, or P");
    describe_sides(fields);
  }

  std::string data() const override { return "samples with scores, at least two different ones a record"; }

  // Winner and loser are the comparisons' or else the best- and the worst-scored sample. They have a role of their own,
  // so that beside another objective they keep their win probabilities for scores.
  void layout(const RecordView& record, Layout& layout) const override {
    const auto labels = win_probabilities(record);
    RecordView view = record;
    view.labels = labels;
    const auto extremes = best_and_worst(view);
    if (record.preferences.empty() && extremes) view.preferences = std::span(&*extremes, 1);
    for (const auto& preference : view.preferences) {
      if (!both_scored(view, preference)) continue;
      const auto winner = layout.add(view, preference.chosen, ResponseRole::self_sample);
      const auto loser = layout.add(view, preference.rejected, ResponseRole::self_sample);
      layout.pair(winner, loser, preference);
    }
  }

  // Wu et al. 2024, eq. 4.7, halved over winner and loser: ((u_w - (P_w - 1/2) / beta)^2 + (u_l - (P_l - 1/2) /
  // beta)^2) / 2.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const PairScores s = scores(responses);
    const Tensor target = (responses.scores - 0.5) / beta();
    const Tensor winner = target.index_select(0, responses.pairs.chosen);
    const Tensor loser = target.index_select(0, responses.pairs.rejected);
    return loss("sppo", s, 0.5 * (squared(s.chosen - winner) + squared(s.rejected - loser)));
  }

 private:
  // The record's labels with P(the completion beats a sample of the record) for scores; itself counts as a half.
  std::vector<CompletionLabels> win_probabilities(const RecordView& record) const {
    std::vector<CompletionLabels> labels(record.labels.begin(), record.labels.end());
    if (score_ == SppoScores::win_probability) return labels;
    for (CompletionLabels& label : labels) {
      double wins = 0, rivals = 0;
      for (const CompletionLabels& rival : record.labels) {
        if (!std::isfinite(rival.score)) continue;
        wins += 1 / (1 + std::exp(rival.score - label.score));
        ++rivals;
      }
      label.score = wins / rivals;  // NaN where it had no score
    }
    return labels;
  }
};

ATTUNE_PART(
    Objective, sppo, Sppo,
    .summary = "moves the log-ratio of each answer to how often it wins against the policy it came from",
    .formula = "((u_w - (P_w - 1/2) / beta)^2 + (u_l - (P_l - 1/2) / beta)^2) / 2,  u = log pi - log ref",
    .paper = "Wu et al. 2024, Self-Play Preference Optimization for Language Model Alignment, arXiv:2405.00675");

}  // namespace attune::objectives
