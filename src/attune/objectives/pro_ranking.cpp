// Preference Ranking Optimization.
#include <ATen/ops/cat.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/where.h>

#include <limits>

#include "attune/objectives/listwise.h"

namespace attune::objectives {

class ProRanking final : public Objective {
  bool reward_temperature_ = true;
  double sft_weight_ = 0.05;

 public:
  void describe(Fields& fields) {
    fields("reward_temperature", reward_temperature_, "scale likelihoods by how far apart the answers' scores are");
    fields("sft_weight", sft_weight_, "of learning the best answer; times (n - 1)^2 for a list of n").at_least(0);
  }

  Needs needs() const override { return {}; }
  std::string data() const override { return lists_data; }

  void layout(const RecordView& record, Layout& layout) const override {
    const auto completions = scored_completions(record);
    if (ranks(record, completions)) lay_out_list(record, completions, layout);
  }

  // Song et al. 2023: every answer k against all worse ones, by the mean log-probability s of a token,
  //   -log(exp(s_k g_k) / (exp(s_k g_k) + sum over worse i of exp(s_i g_ki))),  g_ki = r_k - r_i,  g_k = max_i g_ki,
  // where r are the data's scores (all g = 1 without them); plus 0.05 (n - 1)^2 times the NLL of the best answer,
  // whole, not per token. The factor 0.05 is the setting of the authors' scripts; ties, which they do not have, are not
  // compared.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Lists lists = ranked_lists(responses);
    const Tensor s = lists.logps / lists.lengths, worse = lists.wins() > 0;
    const Tensor gaps = lists.labels.unsqueeze(2) - lists.labels.unsqueeze(1);
    const Tensor g = reward_temperature_ ? at::where(worse, gaps, 0) : worse.to(s.scalar_type());
    const Tensor own = (s * g.amax(2)).unsqueeze(2);
    const Tensor others = at::where(worse, s.unsqueeze(1) * g, -std::numeric_limits<double>::infinity());
    const Tensor ranking = at::logsumexp(at::cat({own, others}, 2), 2) - own.squeeze(2);
    const Tensor best = lists.masked(worse.any(1).logical_not().to(s.scalar_type()));  // of several best ones, the mean
    const Tensor nll = -(best * lists.logps).sum(1) / best.sum(1);
    Loss loss;
    loss.terms.push_back({.name = "ranking", .sum = ranking.sum(), .per = Per::group});
    loss.terms.push_back(
        {.name = "sft", .sum = (sft_weight_ * (lists.size() - 1).square() * nll).sum(), .per = Per::group});
    add_list_metrics(loss.metrics, lists, s);
    return loss;
  }
};

ATTUNE_PART(Objective, pro_ranking, ProRanking,
            .summary =
                "sets each answer of a ranked list against all worse ones, by likelihood alone, and learns the "
                "best one",
            .formula =
                "sum_k -log(exp(s_k g_k) / (exp(s_k g_k) + sum_{i worse} exp(s_i g_ki))) + 0.05 (n-1)^2 NLL(best); "
                "s = mean token log pi, g_ki = r_k - r_i, g_k = max g_ki",
            .paper = "Song et al. 2023, Preference Ranking Optimization for Human Alignment, arXiv:2306.17492");

}  // namespace attune::objectives
