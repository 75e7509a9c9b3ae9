// Labels that may be wrong: two scores, each of which learns from the comparisons that the other finds credible.
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "attune/base/errors.h"
#include "attune/objectives/pairwise.h"
#include "attune/objectives/reward.h"

namespace attune::objectives {
namespace {

using PairKey = std::array<std::int64_t, 3>;  // record, chosen and rejected completion

std::vector<std::int64_t> numbers(const Tensor& indices) {
  const Tensor plain = indices.to(at::kLong).cpu().contiguous();
  return {plain.const_data_ptr<std::int64_t>(), plain.const_data_ptr<std::int64_t>() + plain.numel()};
}

std::vector<PairKey> keys_of(const Responses& responses) {
  const auto chosen = numbers(responses.pairs.chosen), rejected = numbers(responses.pairs.rejected);
  std::vector<PairKey> keys;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const ResponseKey& one = responses.keys[static_cast<std::size_t>(chosen[i])];
    keys.push_back({one.record, one.completion, responses.keys[static_cast<std::size_t>(rejected[i])].completion});
  }
  return keys;
}

// r_c - r_r of both peers, [P, 2].
Tensor margins(const OutputPairs& outputs) { return outputs.chosen - outputs.rejected; }

// What both peers think of the step's pairs, and from which margin on they believe them.
struct Review {
  std::map<PairKey, std::array<double, 2>> margins = {};
  std::array<double, 2> least = {};
  std::array<double, 2> believed = {};  // pairs
  double pairs = 0;

  Review(const Statistics& statistics, double kept) {
    const Tensor keys = statistics.columns.at("keys").cpu(), values = statistics.columns.at("margins").cpu();
    const auto count = keys.size(0);
    std::array<std::vector<double>, 2> sorted;
    const auto key = keys.accessor<std::int64_t, 2>();
    const Tensor wide = values.to(at::kDouble);
    const auto value = wide.accessor<double, 2>();
    for (std::int64_t i = 0; i < count; ++i) {
      margins[{key[i][0], key[i][1], key[i][2]}] = {value[i][0], value[i][1]};
      for (std::size_t peer = 0; peer < 2; ++peer) sorted[peer].push_back(value[i][static_cast<std::int64_t>(peer)]);
    }
    pairs = static_cast<double>(count);
    const auto rank =
        std::clamp<std::int64_t>(std::llround(std::ceil(kept * pairs - 1e-9)), 1, std::max<std::int64_t>(count, 1));
    for (std::size_t peer = 0; peer < 2 && count > 0; ++peer) {
      std::sort(sorted[peer].begin(), sorted[peer].end(), std::greater<>());
      least[peer] = sorted[peer][static_cast<std::size_t>(rank - 1)];
      believed[peer] = static_cast<double>(std::count_if(sorted[peer].begin(), sorted[peer].end(),
                                                         [&](double margin) { return margin >= least[peer]; }));
    }
  }

  // 1 where the peer believes the pair, [P].
  Tensor believes(std::size_t peer, const std::vector<PairKey>& keys, const Tensor& like) const {
    std::vector<double> result;
    for (const PairKey& key : keys) result.push_back(margins.at(key)[peer] >= least[peer] ? 1 : 0);
    return at::tensor(result, at::kDouble).to(like.options());
  }
};

}  // namespace

class PeerReview final : public RewardObjective {
  double noise_ = 0.2, ramp_ = 0.3;

 public:
  PeerReview() : RewardObjective("peers") {}

  void describe(Fields& fields) {
    describe_head(fields);
    fields("noise", noise_, "share of the labels believed to be wrong; 0: every pair is learnt").within(0, 0.9);
    fields("ramp", ramp_, "share of the run over which the pairs that are left out become that many").within(0, 1);
  }

  void check() const override {
    RewardObjective::check();
    if (head_->attributes().size() == 2) return;
    throw ConfigError({.field = "head"}, "the head " + std::string(head_.name()), "one of two scores: peers");
  }

  Needs needs() const override {
    Needs needs = RewardObjective::needs();
    needs.statistics = true;
    return needs;
  }

  void layout(const RecordView& record, Layout& layout) const override {
    for (const auto& preference : record.preferences) pair_ends(record, preference, layout);
  }

  Statistics gather(const Responses& responses) const override {
    std::vector<std::int64_t> keys;
    for (const PairKey& key : keys_of(responses)) keys.insert(keys.end(), key.begin(), key.end());
    Statistics statistics;
    statistics.columns["margins"] = margins(output_pairs(responses)).detach();
    statistics.columns["keys"] = at::tensor(keys, at::kLong).view({-1, 3});
    return statistics;
  }

  // Each peer's mean loss over the share kept(t) of the step's pairs with the other's largest margins; kept falls from
  // 1 to 1 - noise (co-teaching's schedule, which the paper's own is taken to be).
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress& progress) const override {
    const OutputPairs outputs = output_pairs(responses);
    const Tensor margin = margins(outputs);
    const double reached = ramp_ > 0 ? std::min(progress.fraction / ramp_, 1.0) : 1.0;
    const Review review(statistics, 1 - reached * noise_);
    const auto keys = keys_of(responses);
    Loss loss;
    for (std::size_t peer = 0; peer < 2; ++peer) {
      const Tensor odds = margin.select(1, static_cast<std::int64_t>(peer));
      const Tensor believed = review.believes(1 - peer, keys, odds);
      const double scale = review.believed[1 - peer] > 0 ? review.pairs / review.believed[1 - peer] : 0;
      loss.terms.push_back({.name = peer == 0 ? "first" : "second",
                            .sum = scale * (responses.pairs.weight * believed * logistic(odds)).sum(),
                            .per = Per::pair});
      loss.metrics.add("kept", believed.sum(), static_cast<double>(keys.size()));
    }
    add_comparison_metrics(loss.metrics, *head_, outputs, head_->log_odds(outputs.chosen, outputs.rejected),
                           responses.pairs.probability);
    return loss;
  }
};

ATTUNE_PART(
    Objective, reward_crm, PeerReview,
    .summary = "a reward model of comparisons with wrong labels among them: two scores review each other's pairs",
    .formula = "sum_k mean over the other's largest margins of -log sigmoid(r_k(c) - r_k(r))",
    .paper =
        "Zhang et al. 2025, Two Minds Better Than One: Collaborative Reward Modeling for LLM Alignment, "
        "arXiv:2505.10597; schedule: Han et al. 2018, Co-teaching, arXiv:1804.06872");

}  // namespace attune::objectives
