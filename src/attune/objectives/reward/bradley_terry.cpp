// The loss of almost every reward model: the answer that was preferred shall have the larger reward.
#include <ATen/ops/ones_like.h>

#include "attune/base/errors.h"
#include "attune/objectives/pairwise.h"
#include "attune/objectives/reward.h"

namespace attune::objectives {

class BradleyTerry final : public RewardObjective {
  Votes votes_ = Votes::each;
  MarginUse margin_ = MarginUse::ignore;
  double agreement_ = 0, center_ = 0, label_smoothing_ = 0;

 public:
  BradleyTerry() : RewardObjective("scalar") {}

  void describe(Fields& fields) {
    describe_head(fields);
    fields("votes", votes_, "one comparison for each annotator, or one of all: by majority, or by the share of votes");
    fields("margin", margin_,
           "what the data's margins do: shift the reward difference, or scale the loss (HelpSteer2-Preference)");
    fields("agreement", agreement_,
           "shift the reward difference by this times (2 a - 1), a the share of all annotators' votes for the chosen "
           "answer "
           "(Beyond the Binary): below 0 for a label that most others contradict")
        .at_least(0);
    fields("center", center_,
           "weight of (r_c + r_r)^2, which holds rewards around 0 (TRL: center_rewards_coefficient, 0.01 there)")
        .at_least(0);
    fields("label_smoothing", label_smoothing_, "share of labels believed to be flipped").within(0, 0.499);
  }

  void check() const override {
    RewardObjective::check();
    if (agreement_ > 0 && votes_ == Votes::share) {
      throw ConfigError({.field = "agreement"}, "a margin of agreement on labels that are shares of votes already", "",
                        "votes: each or majority");
    }
    if (center_ > 0)
      require_head([](const RewardHead& head, const Tensor& a, const Tensor&) { return head.score(a); }, "score");
  }

  std::string data() const override {
    return margin_ == MarginUse::ignore
               ? Objective::data()
               : "comparisons that say by how much the chosen answer is better (a margin above 0)";
  }

  void layout(const RecordView& record, Layout& layout) const override {
    for (const auto& preference : votes_of(record, votes_)) {
      if (votes_ == Votes::majority && preference.probability <= 0.5) continue;
      if (margin_ != MarginUse::ignore && !(preference.margin > 0)) continue;
      pair_ends(record, preference, layout);
    }
  }

  // p l(d) + (1 - p) l(-d), l = -log sigmoid, d the log-odds less the margins. HelpSteer2-Preference's three losses are
  // margin: ignore, offset and scale (Wang et al. 2024, equations 1 to 3).
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const OutputPairs outputs = output_pairs(responses);
    const Pairs& pairs = responses.pairs;
    const Tensor odds = head_->log_odds(outputs.chosen, outputs.rejected);
    Tensor difference = odds, weight = pairs.weight;
    if (margin_ == MarginUse::offset) difference = difference - pairs.margin;
    if (margin_ == MarginUse::scale) weight = weight * pairs.margin;
    if (agreement_ > 0) difference = difference - agreement_ * (2 * share_for_chosen(pairs.votes) - 1);
    const Tensor said = votes_ == Votes::majority ? at::ones_like(pairs.probability) : pairs.probability;
    const Tensor probability = label_smoothing_ + (1 - 2 * label_smoothing_) * said;
    Loss loss;
    loss.terms.push_back(
        {.name = "bradley_terry", .sum = (weight * logistic(difference, probability)).sum(), .per = Per::pair});
    if (center_ > 0) {
      const Tensor sum = head_->score(outputs.chosen) + head_->score(outputs.rejected);
      loss.terms.push_back(
          {.name = "center", .sum = (pairs.weight * sum.square()).sum(), .per = Per::pair, .weight = center_});
    }
    add_comparison_metrics(loss.metrics, *head_, outputs, odds, pairs.probability);
    return loss;
  }
};

ATTUNE_PART(Objective, reward_bradley_terry, BradleyTerry,
            .summary = "a reward model of comparisons: the preferred answer gets the larger reward",
            .formula = "-log sigmoid(r_c - r_r - margin) + center (r_c + r_r)^2",
            .paper =
                "Stiennon et al. 2020, Learning to Summarize from Human Feedback, arXiv:2009.01325; margins: Wang "
                "et al. 2024, HelpSteer2-Preference, arXiv:2410.01257; agreement: Padmakumar et al. 2024, Beyond "
                "the Binary, arXiv:2412.03822; center: Eisenstein et al. 2023, Helping or Herding?, "
                "arXiv:2312.09244");

}  // namespace attune::objectives
