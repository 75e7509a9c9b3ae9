// What objectives of reward models share: a head that says what the outputs mean, answers that are read at their end,
// and the metrics that TRL's RewardTrainer reports.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "attune/heads/reward_head.h"
#include "attune/objectives/objective.h"

namespace attune::objectives {

// Whose comparisons a pair stands for.
enum class Votes {
  each,      // every annotator's own
  majority,  // all who compared the two answers, by what most of them said; even votes are left out
  share,     // the same as a soft label: the share of the votes, ties half
};
constexpr auto enum_names(Votes) {
  return std::array{std::pair{std::string_view("each"), Votes::each},
                    std::pair{std::string_view("majority"), Votes::majority},
                    std::pair{std::string_view("share"), Votes::share}};
}

// The attribute of a label column that tells where an answer comes from: the number of its source in the data.
inline constexpr std::string_view source_column = "@source";

class RewardObjective : public Objective {
 public:
  void check() const override;
  Needs needs() const override;

 protected:
  // `head`: the one that a run file gets which names none.
  explicit RewardObjective(std::string_view head) : head_(*find_part<RewardHead>(head)) {}
  void describe_head(Fields& fields) { fields("head", head_, "what the outputs of the score head mean"); }
  // Throws ConfigError unless the head answers `what` about answers and pairs of them.
  using Answer = Tensor (*)(const RewardHead& head, const Tensor& a, const Tensor& b);
  void require_head(Answer answer, const std::string& what) const;

  Choice<RewardHead> head_;
};

// The outputs of both sides of the pairs, [P, k] each, with gradient.
struct OutputPairs {
  Tensor chosen, rejected;
};
OutputPairs output_pairs(const Responses& responses);

// A completion as a response that is read at its end. A completion is one response however many pairs it is in.
std::int64_t add_end(const RecordView& record, std::int32_t completion, Layout& layout);
void pair_ends(const RecordView& record, const RecordView::Preference& preference, Layout& layout);
std::span<const RecordView::Preference> votes_of(const RecordView& record, Votes votes);

// Of the votes on pairs, [P, vote_kinds], the share for the chosen answer, ties half, [P]; 1/2 where nobody counted.
Tensor share_for_chosen(const Tensor& votes);

// min_reward, mean_reward and max_reward of `rewards` [n], under TRL's names; nothing where they are undefined or none.
void add_reward_metrics(Metrics& metrics, const Tensor& rewards);
// The same of both sides; accuracy (log-odds above 0, ties half), margin (of the rewards) and brier, the mean square of
// sigmoid(log-odds) - `probability`, over pairs; spread, the mean of what the head gives.
void add_comparison_metrics(Metrics& metrics, const RewardHead& head, const OutputPairs& outputs,
                            const Tensor& log_odds, const Tensor& probability);

// KL(p || q) of rows of shares [n, m] and log-probabilities [n, m], [n]; 0 log 0 is 0.
Tensor kl_to_shares(const Tensor& shares, const Tensor& log_q);

}  // namespace attune::objectives
