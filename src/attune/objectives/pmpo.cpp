// Preference-based Maximum a Posteriori Policy Optimization: positive feedback, negative feedback, or both.
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/maximum.h>

#include "attune/base/errors.h"
#include "attune/objectives/unpaired.h"

namespace attune::objectives {

class Pmpo final : public Objective {
  double alpha_ = 0.5;
  double beta_ = 0.5;
  double floor_ = -10;

 public:
  void describe(Fields& fields) {
    fields("alpha", alpha_, "share of the good answers; 1: only they count, 0: only the bad ones").within(0, 1);
    fields("beta", beta_, "weight of the divergence from the reference; the paper tunes it between 0.1 and 2")
        .at_least(0);
    fields("floor", floor_, "mean log-probability of a token below which a bad answer is pushed no further");
  }

  void check() const override {
    if (alpha_ > 0 || beta_ > 0) return;
    throw ConfigError({.field = "beta"}, "alpha 0 and beta 0",
                      "beta above 0: bad answers alone say nothing of where their probability shall go");
  }

  // KL(reference || pi) over the whole vocabulary at every token.
  Needs needs() const override {
    const auto forward_kl = [](const VocabularyChunk& chunk) {
      const Tensor log_pi = at::log_softmax(chunk.logits, -1);
      const Tensor log_reference = at::log_softmax(chunk.model_logits.at("reference"), -1);
      return (log_reference.exp() * (log_reference - log_pi)).sum(-1);
    };
    return {.models = {"reference"}, .vocabulary = {{"forward_kl", {"reference"}, forward_kl}}};
  }
  std::string data() const override { return opinions_data; }

  // What nobody has judged is a sample of the reference, where only the divergence is measured.
  void layout(const RecordView& record, Layout& layout) const override {
    lay_out_opinions(record, layout);
    for (const std::int32_t i : unjudged(record)) layout.add(record, i, ResponseRole::self_sample);
  }

  // Abdolmaleki et al. 2024, eq. 10: maximise alpha E_good[log pi] - (1 - alpha) E_bad[log pi] - beta KL(ref || pi).
  // The divergence of an answer is the sum over its tokens; the paper samples from the reference, here the answers of
  // the batch stand in.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    constexpr Roles all = good_and_bad | ResponseRole::self_sample;
    const auto good = answers(responses, ResponseRole::chosen), bad = answers(responses, ResponseRole::rejected);
    const Tensor lowest = floor_ * responses.lengths.index_select(0, responses.indices_of(ResponseRole::rejected));
    const Tensor kl = kl_of(responses, all);
    Loss loss;
    loss.terms.push_back({.name = "good",
                          .sum = -(good.weight * good.logps).sum(),
                          .per = Per::response,
                          .role = ResponseRole::chosen,
                          .weight = alpha_});
    loss.terms.push_back({.name = "bad",
                          .sum = (bad.weight * at::maximum(bad.logps, lowest)).sum(),
                          .per = Per::response,
                          .role = ResponseRole::rejected,
                          .weight = 1 - alpha_});
    loss.terms.push_back({.name = "kl", .sum = kl, .per = Per::response, .role = all, .weight = beta_});
    if (good.size() > 0) loss.metrics.add("logps/chosen", good.logps.sum(), static_cast<double>(good.size()));
    if (bad.size() > 0) loss.metrics.add("logps/rejected", bad.logps.sum(), static_cast<double>(bad.size()));
    return loss;
  }

 private:
  // Over the tokens of the answers in these roles.
  static Tensor kl_of(const Responses& responses, Roles roles) {
    const Tensor mine = mask_of(responses, roles).index_select(0, responses.tokens.response);
    return (mine * responses.tokens.vocabulary.at("forward_kl")).sum();
  }
};

ATTUNE_PART(Objective, pmpo, Pmpo,
            .summary = "learns from good answers, from bad ones, or both, unpaired, close to the reference",
            .formula = "-alpha E_good[log pi] + (1 - alpha) E_bad[log pi] + beta KL(ref || pi)   (eq. 10)",
            .paper = "Abdolmaleki et al. 2024, Preference Optimization as Probabilistic Inference, arXiv:2410.04166");

}  // namespace attune::objectives
