// Listwise Preference Optimization.
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "attune/objectives/listwise.h"

namespace attune::objectives {

enum class ListLoss { lambda, logistic, hinge, listmle, softmax, mse, sigmoid };
constexpr auto enum_names(ListLoss) {
  using enum ListLoss;
  using Row = std::pair<std::string_view, ListLoss>;
  return std::array{Row{"lambda", lambda},   Row{"logistic", logistic}, Row{"hinge", hinge},    Row{"listmle", listmle},
                    Row{"softmax", softmax}, Row{"mse", mse},           Row{"sigmoid", sigmoid}};
}

enum class LabelScale { unit, given };
constexpr auto enum_names(LabelScale) {
  return std::array{std::pair{std::string_view("unit"), LabelScale::unit},
                    std::pair{std::string_view("given"), LabelScale::given}};
}

class Lipo final : public Objective {
  ListLoss loss_ = ListLoss::lambda;
  double beta_ = 0.05;
  LabelScale labels_ = LabelScale::unit;

 public:
  void describe(Fields& fields) {
    fields("loss", loss_,
           "of a list: pairs weighted by what swapping them would change in DCG (lambda), all alike "
           "(logistic: DPO on every pair; hinge: SLiC), the order as a whole (listmle), a distribution "
           "over the list (softmax), or each answer by itself (mse, sigmoid)");
    fields("beta", beta_, "strength of the pull to the reference").above(0);
    fields("labels", labels_,
           "the data's scores stretched to 0 for the worst and 1 for the best of each list (unit), or "
           "as they are (given): softmax then needs scores of at least 0, sigmoid of 0 to 1");
  }

  Needs needs() const override { return {.models = {"reference"}}; }
  std::string data() const override { return lists_data; }

  void layout(const RecordView& record, Layout& layout) const override {
    const auto completions = scored_completions(record);
    if (!ranks(record, completions)) return;
    const bool fits = std::all_of(completions.begin(), completions.end(), [&](std::int32_t i) {
      const double score = record.labels[static_cast<std::size_t>(i)].score;
      if (labels_ == LabelScale::unit) return true;
      return (loss_ != ListLoss::softmax || score >= 0) && (loss_ != ListLoss::sigmoid || (score >= 0 && score <= 1));
    });
    if (fits) lay_out_list(record, completions, layout);
  }

  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Lists lists = ranked_lists(responses, "reference");
    const Tensor scores = beta_ * (lists.logps - lists.reference);
    Loss loss;
    loss.terms.push_back({.name = "lipo", .sum = of_lists(lists, scores).sum(), .per = Per::group});
    add_list_metrics(loss.metrics, lists, scores);
    return loss;
  }

 private:
  // Liu et al. 2024, section 4, of every list [G]. Sums over pairs are divided by the number of pairs and sums over
  // single answers by their number, so that long lists do not outweigh short ones; a list of two is then DPO.
  Tensor of_lists(const Lists& lists, const Tensor& scores) const {
    const Tensor labels = labels_ == LabelScale::unit ? unit_labels(lists) : lists.labels;
    const Tensor gap = scores.unsqueeze(2) - scores.unsqueeze(1);  // [G, K, K], s_i - s_j
    switch (loss_) {
      case ListLoss::lambda:
        return of_pairs(lists, -lambda_weights(lists, labels, scores) * at::log_sigmoid(gap));
      case ListLoss::logistic:
        return of_pairs(lists, -at::log_sigmoid(gap));
      case ListLoss::hinge:
        return of_pairs(lists, at::relu(1 - gap));
      case ListLoss::listmle:
        return plackett_luce(lists, scores, Ties::breslow);
      case ListLoss::softmax: {
        const Tensor shares = labels / labels.sum(1, true);
        return -(shares * at::log_softmax(at::where(lists.valid, scores, -1e30), 1)).sum(1);
      }
      case ListLoss::mse:
        return lists.masked((labels - scores).square()).sum(1) / lists.size();
      case ListLoss::sigmoid:
        return -lists.masked(labels * at::log_sigmoid(scores) + (1 - labels) * at::log_sigmoid(-scores)).sum(1) /
               lists.size();
    }
    return {};
  }

  static Tensor of_pairs(const Lists& lists, const Tensor& values) {
    const Tensor wins = lists.wins();
    return (wins * values).sum({1, 2}) / wins.sum({1, 2});
  }
};

ATTUNE_PART(Objective, lipo, Lipo,
            .summary = "ranks a list of scored answers as learning to rank does, by default with LambdaRank weights",
            .formula =
                "sum over label_i > label_j of Delta_ij log(1 + exp(-(s_i - s_j))) / pairs; s = beta (log pi - "
                "log ref), Delta_ij = |2^label_i - 2^label_j| |1/log(1 + rank_i) - 1/log(1 + rank_j)|",
            .paper =
                "Liu et al. 2024, LiPO: Listwise Preference Optimization through Learning-to-Rank, "
                "arXiv:2402.01878");

}  // namespace attune::objectives
