// Comparisons as people differ about them: the distribution of the verdicts on two answers.
#include <ATen/ops/cat.h>
#include <ATen/ops/logaddexp.h>

#include "attune/objectives/reward.h"

namespace attune::objectives {

class VerdictDistribution final : public RewardObjective {
 public:
  VerdictDistribution() : RewardObjective("mean-variance") {}

  void describe(Fields& fields) { describe_head(fields); }

  void check() const override {
    RewardObjective::check();
    require_head([](const RewardHead& head, const Tensor& a, const Tensor& b) { return head.log_verdicts(a, b); },
                 "distribution over verdicts");
  }

  void layout(const RecordView& record, Layout& layout) const override {
    for (const auto& ballot : record.ballots) pair_ends(record, ballot, layout);
  }
  std::string data() const override { return "comparisons, best by several annotators of the same answers"; }

  // Zhang et al. 2024, section 4: KL from the votes to the head's verdicts, clear, slight and tied. Whoever preferred
  // an answer without saying by how much stands for both degrees of it.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const OutputPairs outputs = output_pairs(responses);
    const Tensor verdict = head_->log_verdicts(outputs.chosen, outputs.rejected);
    const auto either = [&](std::int64_t one, std::int64_t other) {
      return at::logaddexp(verdict.select(1, one), verdict.select(1, other)).unsqueeze(1);
    };
    const Tensor log_q = at::cat({verdict, either(0, 1), either(3, 4)}, 1);
    const Tensor& votes = responses.pairs.votes;
    const Tensor kl = kl_to_shares(votes / votes.sum(1, true), log_q);
    Loss loss;
    loss.terms.push_back({.name = "verdicts_kl", .sum = (responses.pairs.weight * kl).sum(), .per = Per::pair});
    add_comparison_metrics(loss.metrics, *head_, outputs, head_->log_odds(outputs.chosen, outputs.rejected),
                           responses.pairs.probability);
    return loss;
  }
};

ATTUNE_PART(Objective, reward_verdicts, VerdictDistribution,
            .summary = "a reward model of how annotators' verdicts on two answers are distributed",
            .formula = "KL(shares of the verdicts || P(r_a - r_b in each interval))",
            .paper =
                "Zhang et al. 2024, Diverging Preferences: When do Annotators Disagree and do Models Know?, "
                "arXiv:2410.14632, section 4 (mean-variance, KL)");

}  // namespace attune::objectives
