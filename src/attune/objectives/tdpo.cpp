// Token-level Direct Preference Optimization.
#include "attune/objectives/objective.h"
#include "attune/objectives/pairwise.h"
#include "attune/objectives/token_level.h"

namespace attune::objectives {

enum class TdpoVersion { tdpo1, tdpo2 };

constexpr auto enum_names(TdpoVersion) {
  return std::array{std::pair{std::string_view("tdpo1"), TdpoVersion::tdpo1},
                    std::pair{std::string_view("tdpo2"), TdpoVersion::tdpo2}};
}

class Tdpo final : public Objective {
  double beta_ = 0.1;
  TdpoVersion version_ = TdpoVersion::tdpo2;
  double alpha_ = 0.5;

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "strength of the pull to the reference").above(0);
    fields("version", version_, "tdpo2 weighs the divergences and holds the chosen side's fixed");
    fields("alpha", alpha_, "share of the divergences in tdpo2").at_least(0);
  }

  Needs needs() const override { return {.models = {"reference"}, .vocabulary = {kl_from("reference")}}; }

  // Zeng et al. 2024, eq. 11 to 16: with u = beta (chosen log-ratio - rejected log-ratio) and D(y) the sum over y's
  // tokens of KL(reference || policy),
  //   tdpo1: -log sigmoid(u - (beta D(r) - beta D(c))),
  //   tdpo2: -log sigmoid(u - alpha (beta D(r) - beta sg(D(c)))).
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const PairSides sides = pair_sides(responses, "reference");
    const Tensor chosen = beta_ * sides.chosen_log_ratio(), rejected = beta_ * sides.rejected_log_ratio();
    const Tensor divergence = sum_by_response(responses, responses.tokens.vocabulary.at("kl/reference"));
    const Tensor of_chosen = divergence.index_select(0, responses.pairs.chosen);
    const Tensor of_rejected = divergence.index_select(0, responses.pairs.rejected);
    const bool second = version_ == TdpoVersion::tdpo2;
    const Tensor delta = (second ? alpha_ : 1) * beta_ * (of_rejected - (second ? of_chosen.detach() : of_chosen));
    const Tensor values = logistic(chosen - rejected - delta, responses.pairs.probability);
    Loss loss;
    loss.terms.push_back({.name = "tdpo", .sum = (responses.pairs.weight * values).sum(), .per = Per::pair});
    add_pair_metrics(loss.metrics, sides, chosen, rejected);
    const auto pairs = static_cast<double>(responses.pairs.size());
    loss.metrics.add("kl/chosen", of_chosen.sum(), pairs);
    loss.metrics.add("kl/rejected", of_rejected.sum(), pairs);
    return loss;
  }
};

ATTUNE_PART(Objective, tdpo, Tdpo,
            .summary = "DPO whose margin also counts how far both answers' token distributions moved",
            .formula = "-log sigmoid(beta (log-ratio(c) - log-ratio(r)) - alpha beta (KL(r) - sg KL(c)))   (eq. 16)",
            .paper = "Zeng et al. 2024, Token-level Direct Preference Optimization, arXiv:2404.11999");

}  // namespace attune::objectives
