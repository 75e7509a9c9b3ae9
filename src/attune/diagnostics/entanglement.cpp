#include "attune/diagnostics/entanglement.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/policy/language.h"

namespace attune::diagnostics {
namespace {

double product(const Tensor& a, const Tensor& b) { return (a * b).sum(at::kDouble).item<double>(); }

PlannedResponse response_of(const TokenRecord& record, std::size_t index, std::int32_t completion) {
  const auto place = static_cast<std::int64_t>(index);
  return {.record = place,
          .completion = completion,
          .prompt = place,
          .tokens = record.scored_tokens[static_cast<std::size_t>(completion)]};
}

}  // namespace

double PairGram::cosine() const {
  const double norms = std::sqrt(chosen) * std::sqrt(rejected);
  return norms > 0 ? inner / norms : 0;
}

Sides predicted_change(const PairGram& gram, const LossFactors& factors) {
  return {factors.chosen * gram.chosen - factors.rejected * gram.inner,
          factors.chosen * gram.inner - factors.rejected * gram.rejected};
}

LossFactors normalised_factors(const PairGram& gram, const LossFactors& factors) {
  const double size = (factors.chosen + factors.rejected) / 2;
  const auto over_norm = [&](double squared) { return squared > 0 ? size / std::sqrt(squared) : 0; };
  return {over_norm(gram.chosen), over_norm(gram.rejected)};
}

std::string_view name(Regime regime) {
  static constexpr std::string_view names[] = {"good", "both-rise", "both-fall", "still"};
  return names[static_cast<std::size_t>(regime)];
}

Regime regime_of(const Sides& change) {
  const bool chosen_rises = change.chosen > 0, rejected_falls = change.rejected < 0;
  if (chosen_rises && rejected_falls) return Regime::good;
  if (chosen_rises) return Regime::both_rise;
  return rejected_falls ? Regime::both_fall : Regime::still;
}

Tensor logp_gradient(LanguageModel& model, std::span<const TokenRecord> records, const PlannedResponse& response,
                     std::int64_t token) {
  const at::AutoGradMode with_gradient(true);
  Parameters& trainable = model.trainable();
  require(trainable.gradient().defined(), "gradients of a model without require_gradients(true)");
  trainable.zero_gradients();
  Batch batch;
  batch.responses = {response};
  const Tensor logps = LanguagePolicy(model, records).score(batch, {}).tokens.logps;
  (token < 0 ? logps.sum() : logps[token]).backward();
  return trainable.gradient().clone();
}

PairGram gram_of(const Tensor& chosen_gradient, const Tensor& rejected_gradient) {
  return {.chosen = product(chosen_gradient, chosen_gradient),
          .rejected = product(rejected_gradient, rejected_gradient),
          .inner = product(chosen_gradient, rejected_gradient)};
}

TokenGram token_gram(LanguageModel& model, std::span<const TokenRecord> records, const ComparedPair& pair,
                     std::int64_t most) {
  const auto gradients = [&](std::int32_t completion) {
    const PlannedResponse response = response_of(records[pair.record], pair.record, completion);
    std::vector<Tensor> rows;
    for (std::int64_t i = 0; i < std::min(most, response.tokens); ++i) {
      rows.push_back(logp_gradient(model, records, response, i));
    }
    return at::stack(rows);
  };
  const Tensor gram =
      at::mm(gradients(pair.chosen), gradients(pair.rejected).t()).to(at::kCPU, at::kDouble).contiguous();
  const double* values = gram.const_data_ptr<double>();
  return {.rows = gram.size(0), .columns = gram.size(1), .values = {values, values + gram.numel()}};
}

}  // namespace attune::diagnostics
