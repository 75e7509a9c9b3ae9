// Distillation from a teacher over the whole vocabulary: forward, reverse and generalised Jensen-Shannon divergence.
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logaddexp.h>

#include <cmath>

#include "attune/objectives/demonstrations.h"
#include "attune/objectives/objective.h"
#include "attune/objectives/token_level.h"

namespace attune::objectives {

class Gkd final : public Objective {
  double beta_ = 0.5;
  double temperature_ = 1;

  // The mixture's log-probabilities are taken in log space, so that no tail is lost.
  VocabularyTerm divergence() const {
    return {.name = "gkd/" + format_double(beta_) + "/" + format_double(temperature_),
            .models = {"teacher"},
            .reduce = [beta = beta_, t = temperature_](const VocabularyChunk& chunk) {
              const Tensor teacher = at::log_softmax(chunk.model_logits.at("teacher") / t, -1);
              const Tensor student = at::log_softmax(chunk.logits / t, -1);
              if (beta == 0) return kl_divergence(teacher, student);
              if (beta == 1) return kl_divergence(student, teacher);
              const Tensor mixture = at::logaddexp(student + std::log1p(-beta), teacher + std::log(beta));
              return beta * kl_divergence(teacher, mixture) + (1 - beta) * kl_divergence(student, mixture);
            }};
  }

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "0: KL(teacher || student), 1: KL(student || teacher), between: generalised Jensen-Shannon")
        .within(0, 1);
    fields("temperature", temperature_, "of both distributions (TRL uses its temperature for sampling only)").above(0);
  }

  Needs needs() const override { return {.vocabulary = {divergence()}}; }
  std::string data() const override { return demonstrations_data; }

  void layout(const RecordView& record, Layout& layout) const override { lay_out_demonstrations(record, layout); }

  // Agarwal et al. 2024, eq. 1 (D_JSD): beta KL(T || M) + (1 - beta) KL(S || M), M = beta T + (1 - beta) S, per token
  // of the answers.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor by_response = sum_by_response(responses, responses.tokens.vocabulary.at(divergence().name));
    const Tensor chosen = by_response.index_select(0, responses.indices_of(ResponseRole::chosen));
    Loss loss;
    loss.terms.push_back({.name = "gkd", .sum = chosen.sum(), .per = Per::token, .role = ResponseRole::chosen});
    return loss;
  }
};

ATTUNE_PART(
    Objective, gkd, Gkd,
    .summary =
        "learns a teacher's whole distribution at every token of the answers (generalised knowledge "
        "distillation)",
    .formula = "mean over tokens of beta KL(T || M) + (1 - beta) KL(S || M), M = beta T + (1 - beta) S   (eq. 1)",
    .paper = "Agarwal et al. 2024, On-Policy Distillation of Language Models, arXiv:2306.13649");

}  // namespace attune::objectives
