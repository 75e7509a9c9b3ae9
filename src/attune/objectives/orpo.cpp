// Odds ratio preference optimisation: learning the chosen answer and telling it from the rejected one in one stage.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

enum class NllScope { completion, full };
constexpr auto enum_names(NllScope) {
  return std::array{std::pair{std::string_view("completion"), NllScope::completion},
                    std::pair{std::string_view("full"), NllScope::full}};
}

class Orpo final : public PairObjective {
  NllScope nll_scope_ = NllScope::completion;

 public:
  Orpo() : PairObjective({.reference = false, .length = Length::mean}) {}

  void describe(Fields& fields) {
    describe_beta(fields, "weight of the odds ratio (the paper's lambda)");
    describe_smoothing(fields);
    fields("nll_scope", nll_scope_, "full: the prompt is learned too, as in TRL");
  }

  void layout(const RecordView& record, Layout& layout) const override {
    PairObjective::layout(record, layout);
    if (nll_scope_ == NllScope::completion) return;
    for (const auto& preference : record.preferences) {
      layout.add(record, preference.chosen, ResponseRole::sequence, Extent::whole);
    }
  }

  // Hong et al. 2024, eq. 6 and 7: NLL(c) - beta log sigmoid(log odds(c) - log odds(r)), odds p / (1 - p) of the
  // geometric mean probability p of a token.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    PairScores s = scores(responses);
    s.chosen = log_odds(s.chosen);
    s.rejected = log_odds(s.rejected);
    const Tensor ratio =
        expected(s, [](const Tensor& chosen, const Tensor& rejected) { return logistic(chosen - rejected); });
    Loss result = loss("odds_ratio", s, beta() * ratio);
    add_nll(result, responses, nll_scope_ == NllScope::full ? ResponseRole::sequence : ResponseRole::chosen, 1);
    const auto pairs = static_cast<double>(responses.pairs.size());
    result.metrics.add("log_odds_ratio", -ratio.sum(), pairs);
    result.metrics.add("log_odds_chosen", (s.chosen - s.rejected).sum(), pairs);
    return result;
  }
};

ATTUNE_PART(
    Objective, orpo, Orpo,
    .summary = "imitates the chosen answer and raises its odds over the rejected one, without a reference",
    .formula =
        "NLL(c) - beta log sigmoid(log odds(c) - log odds(r)),  odds = p / (1 - p),  p(y) = pi(y)^(1/|y|)   (eq. 6, 7)",
    .paper = "Hong et al. 2024, ORPO: Monolithic Preference Optimization without Reference Model, arXiv:2403.07691");

}  // namespace attune::objectives
