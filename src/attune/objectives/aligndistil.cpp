// AlignDistil: distillation towards a mixture of a DPO model and a reverse DPO model, its strength adapted per token.
#include <ATen/ops/full_like.h>
#include <ATen/ops/log_softmax.h>

#include "attune/objectives/demonstrations.h"
#include "attune/objectives/objective.h"
#include "attune/objectives/token_level.h"

namespace attune::objectives {

enum class Contrast { reverse, reference };

constexpr auto enum_names(Contrast) {
  return std::array{std::pair{std::string_view("reverse"), Contrast::reverse},
                    std::pair{std::string_view("reference"), Contrast::reference}};
}

class AlignDistil final : public Objective {
  double beta_ = 0.1;
  double c_ = 10;
  double strength_ = 0;
  Contrast contrast_ = Contrast::reverse;

  std::string contrast_role() const { return contrast_ == Contrast::reverse ? "reverse" : "reference"; }

  VocabularyTerm divergence() const {
    return {
        .name = "aligndistil",
        .models = {"dpo", contrast_role()},
        .reduce = [beta = beta_, c = c_, strength = strength_, role = contrast_role()](const VocabularyChunk& chunk) {
          const Tensor &good = chunk.model_logits.at("dpo"), &bad = chunk.model_logits.at(role);
          // The authors' code takes the plain L1 distance of both distributions, without the half of total
          // variation.
          const Tensor distance = (at::softmax(good, -1) - at::softmax(bad, -1)).abs().sum(-1);
          const Tensor w = strength > 0 ? at::full_like(distance, strength) : c * distance + 1e-3;
          const Tensor target = at::log_softmax(good + w.unsqueeze(-1) * (good - bad), -1);
          return beta / w * kl_divergence(at::log_softmax(chunk.logits, -1), target);
        }};
  }

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "factor of the divergence").above(0);
    fields("c", c_, "how fast the extrapolation grows with the distance of both models").at_least(0);
    fields("strength", strength_, "a fixed extrapolation instead of one per token; 0: adaptive").at_least(0);
    fields("contrast", contrast_, "what the DPO model is held against: the reverse DPO model, or the reference");
  }

  Needs needs() const override { return {.vocabulary = {divergence()}}; }
  std::string data() const override { return demonstrations_data; }

  void layout(const RecordView& record, Layout& layout) const override { lay_out_demonstrations(record, layout); }

  // Zhang et al. 2025, eq. 12 to 15, off-policy: w = c |p_dpo - p_reverse|_1 + 1e-3 at each token, the target
  // p* = softmax(z_dpo + w (z_dpo - z_reverse)), and the mean over a response's tokens of (beta / w) KL(policy || p*).
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor mean = sum_by_response(responses, responses.tokens.vocabulary.at("aligndistil")) / responses.lengths;
    Loss loss;
    loss.terms.push_back({.name = "aligndistil",
                          .sum = mean.index_select(0, responses.indices_of(ResponseRole::chosen)).sum(),
                          .per = Per::response,
                          .role = ResponseRole::chosen});
    return loss;
  }
};

ATTUNE_PART(Objective, aligndistil, AlignDistil,
            .summary = "distils, token by token, towards where a DPO model lies beyond a reverse DPO model",
            .formula =
                "mean over tokens of (beta / w) KL(pi || softmax(z_dpo + w (z_dpo - z_reverse))), w = c |p_dpo - "
                "p_reverse|_1 + 0.001",
            .paper = "Zhang et al. 2025, AlignDistil, arXiv:2503.02832");

}  // namespace attune::objectives
