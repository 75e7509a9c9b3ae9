#include "attune/objectives/reward.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/where.h>
#include <ATen/ops/xlogy.h>
#include <ATen/ops/zeros.h>

#include "attune/base/errors.h"

namespace attune::objectives {

void RewardObjective::check() const {
  try {
    head_->check();
  } catch (const ConfigError& error) {  // the head does not know whose it is
    const Problem& problem = error.problem();
    throw ConfigError({.field = "head." + std::string(head_.name()) + "." + problem.where.field}, problem.found,
                      problem.expected, problem.remedy);
  }
}

Needs RewardObjective::needs() const {
  return {.reward = RewardNeeds{.outputs = head_->outputs(), .head = to_json(head_)}};
}

void RewardObjective::require_head(Answer answer, const std::string& what) const {
  const Tensor outputs = at::zeros({1, std::ssize(head_->outputs())});
  if (answer(*head_, outputs, outputs).defined()) return;
  std::string able;
  for (const auto& row : part_rows<RewardHead>()) {
    const auto head = row.part->make();
    const Tensor blank = at::zeros({1, std::ssize(head->outputs())});
    if (answer(*head, blank, blank).defined()) able += (able.empty() ? "" : ", ") + std::string(row.path);
  }
  throw ConfigError({.field = "head"}, "the head " + std::string(head_.name()) + ", which gives no " + what, able);
}

OutputPairs output_pairs(const Responses& responses) {
  return {.chosen = responses.outputs.index_select(0, responses.pairs.chosen),
          .rejected = responses.outputs.index_select(0, responses.pairs.rejected)};
}

std::int64_t add_end(const RecordView& record, std::int32_t completion, Layout& layout) {
  return layout.add(record, completion, ResponseRole::ranked, Extent::end);
}

void pair_ends(const RecordView& record, const RecordView::Preference& preference, Layout& layout) {
  const auto chosen = add_end(record, preference.chosen, layout);
  const auto rejected = add_end(record, preference.rejected, layout);
  layout.pair(chosen, rejected, preference);
}

std::span<const RecordView::Preference> votes_of(const RecordView& record, Votes votes) {
  return votes == Votes::each ? record.preferences : record.ballots;
}

Tensor share_for_chosen(const Tensor& votes) {
  const auto of = [&](PairVote vote) { return votes.select(1, static_cast<std::int64_t>(vote)); };
  const Tensor chosen = of(PairVote::chosen) + of(PairVote::chosen_slightly) + of(PairVote::chosen_clearly);
  const Tensor all = votes.sum(1);
  return at::where(all > 0, (chosen + 0.5 * of(PairVote::tie)) / at::where(all > 0, all, 1), 0.5);
}

void add_reward_metrics(Metrics& metrics, const Tensor& rewards) {
  if (!rewards.defined() || rewards.numel() == 0) return;
  metrics.add("mean_reward", rewards.sum(), static_cast<double>(rewards.numel()));
  metrics.add_least("min_reward", at::amin(rewards));
  metrics.add_greatest("max_reward", at::amax(rewards));
}

void add_comparison_metrics(Metrics& metrics, const RewardHead& head, const OutputPairs& outputs,
                            const Tensor& log_odds, const Tensor& probability) {
  const at::NoGradGuard no_gradient;
  const auto pairs = static_cast<double>(log_odds.size(0));
  const Tensor both = at::cat({outputs.chosen, outputs.rejected});
  add_reward_metrics(metrics, head.score(both));
  const auto type = log_odds.scalar_type();
  metrics.add("accuracy", ((log_odds > 0).to(type) + 0.5 * (log_odds == 0).to(type)).sum(), pairs);
  metrics.add("brier", (at::sigmoid(log_odds) - probability).square().sum(), pairs);
  const Tensor chosen = head.score(outputs.chosen);
  if (chosen.defined()) metrics.add("margin", (chosen - head.score(outputs.rejected)).sum(), pairs);
  if (const Tensor spread = head.spread(both); spread.defined()) metrics.add("spread", spread.sum(), 2 * pairs);
}

Tensor kl_to_shares(const Tensor& shares, const Tensor& log_q) {
  // Where nobody stands, how unlikely q finds that must not matter, not even as 0 times infinity.
  const Tensor cross = at::where(shares > 0, shares * at::where(shares > 0, log_q, 0), 0);
  return (at::xlogy(shares, shares) - cross).sum(1);
}

}  // namespace attune::objectives
