// SparsePO: token masks on the rewards and divergences of token-level DPO, from the reference's activations or learned.
#include <ATen/ops/ones_like.h>
#include <ATen/ops/relu.h>

#include "attune/objectives/objective.h"
#include "attune/objectives/pairwise.h"
#include "attune/objectives/token_level.h"

namespace attune::objectives {

enum class Mask { none, mapo, common, independent };

constexpr auto enum_names(Mask) {
  return std::array{std::pair{std::string_view("none"), Mask::none}, std::pair{std::string_view("mapo"), Mask::mapo},
                    std::pair{std::string_view("common"), Mask::common},
                    std::pair{std::string_view("independent"), Mask::independent}};
}

class SparsePo final : public Objective {
  double beta_ = 0.1;
  Mask mask_ = Mask::common;
  bool divergence_ = true;

  // The paper does not say how activations become a mask beyond "standardised". Here: their z-score within the answer,
  // moved to mean 1 and cut at 0, so that a token of average activation counts as in TDPO and none counts negatively.
  static Tensor activation_mask(const Responses& responses) {
    const Tensor& size = responses.tokens.activation;
    const auto spread = [&](const Tensor& per_response) {
      return per_response.index_select(0, responses.tokens.response);
    };
    const Tensor centred = size - spread(sum_by_response(responses, size) / responses.lengths);
    const Tensor deviation = (sum_by_response(responses, centred * centred) / responses.lengths).sqrt();
    return at::relu(1 + centred / (spread(deviation) + 1e-8));
  }

  // [N] for the rewards, [N] for the divergences.
  std::pair<Tensor, Tensor> masks(const Responses& responses) const {
    if (mask_ == Mask::none || mask_ == Mask::mapo) {
      const Tensor mask =
          mask_ == Mask::mapo ? activation_mask(responses) : at::ones_like(responses.tokens.logps).detach();
      return {mask, mask};
    }
    const Tensor learned = responses.heads.at("sparsepo-mask");
    return {learned.select(1, 0), learned.select(1, learned.size(1) - 1)};
  }

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "strength of the pull to the reference").above(0);
    fields("mask", mask_, "none; from the reference's activations; learned, one for both or one each");
    fields("divergence", divergence_, "subtract the masked divergences (false: mask on the rewards alone)");
  }

  Needs needs() const override {
    Needs needs{.models = {"reference"}, .vocabulary = {kl_from("reference")}, .tokens = true};
    needs.activations = mask_ == Mask::mapo;
    if (mask_ == Mask::common || mask_ == Mask::independent) {
      needs.heads.push_back({.name = "sparsepo-mask",
                             .rows = HeadRows::scored_tokens,
                             .outputs = mask_ == Mask::common ? 1 : 2,
                             .kind = HeadKind::layer_mask});
    }
    return needs;
  }

  // Christopoulou et al. 2024, eq. 6 to 8: -log sigmoid(u - delta) with
  //   u = beta sum_t m_u log-ratio_t of the chosen - the same of the rejected,
  //   delta = beta sum_t m_d KL(reference || policy)_t of the rejected - the same of the chosen.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const auto [reward_mask, divergence_mask] = masks(responses);
    const Tensor ratio = responses.tokens.logps - responses.model("reference").token_logps;
    const Tensor reward = beta_ * sum_by_response(responses, reward_mask * ratio);
    const Tensor divergence =
        beta_ * sum_by_response(responses, divergence_mask * responses.tokens.vocabulary.at("kl/reference"));
    const auto gap = [&](const Tensor& values) {
      return values.index_select(0, responses.pairs.chosen) - values.index_select(0, responses.pairs.rejected);
    };
    Tensor margin = gap(reward);
    if (divergence_) margin = margin + gap(divergence);
    Loss loss;
    loss.terms.push_back({.name = "sparsepo",
                          .sum = (responses.pairs.weight * logistic(margin, responses.pairs.probability)).sum(),
                          .per = Per::pair});
    const PairSides sides = pair_sides(responses, "reference");
    add_pair_metrics(loss.metrics, sides, reward.index_select(0, responses.pairs.chosen),
                     reward.index_select(0, responses.pairs.rejected));
    loss.metrics.add("mask_sparsity", (reward_mask == 0).to(ratio.scalar_type()).sum(),
                     static_cast<double>(reward_mask.size(0)));
    return loss;
  }
};

ATTUNE_PART(Objective, sparsepo, SparsePo,
            .summary = "token-level DPO in which a sparse mask says which tokens carry the preference",
            .formula = "-log sigmoid(beta sum m_u (log-ratio(c) - log-ratio(r)) - beta sum m_d (KL(r) - KL(c)))",
            .paper = "Christopoulou et al. 2024, SparsePO, arXiv:2410.05102");

}  // namespace attune::objectives
