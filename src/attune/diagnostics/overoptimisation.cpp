#include "attune/diagnostics/overoptimisation.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <set>

#include "attune/base/errors.h"

namespace attune::diagnostics {
namespace {

// Log-probabilities of the k most probable tokens, [c, k].
Tensor top_log_probabilities(const Tensor& logits, std::int64_t k) {
  const Tensor top = std::get<0>(at::topk(logits, std::min(k, logits.size(1)), 1));
  return top - at::logsumexp(logits, 1, true);
}

std::optional<Warning> entropy_turn(std::span<const LikelihoodPoint> curve, const WarningOptions& options) {
  const auto patience = static_cast<std::size_t>(options.patience);
  for (std::size_t turn = 1; turn + patience < curve.size(); ++turn) {
    const double lowest_before =
        std::min_element(curve.begin(), curve.begin() + static_cast<std::ptrdiff_t>(turn),
                         [](const LikelihoodPoint& a, const LikelihoodPoint& b) { return a.entropy < b.entropy; })
            ->entropy;
    bool falls =
        curve[turn].entropy > curve[turn - 1].entropy && curve[turn].entropy - lowest_before > options.least_entropy;
    for (std::size_t i = turn; falls && i < turn + patience; ++i) {
      falls = curve[i + 1].entropy < curve[i].entropy && curve[i + 1].chosen < curve[i].chosen;
    }
    const LikelihoodPoint& last = curve[turn + patience];
    if (falls && curve[turn].entropy - last.entropy > options.least_entropy) {
      return Warning{WarningRule::entropy_turn, curve[turn].step, last.step};
    }
  }
  return std::nullopt;
}

std::optional<Warning> mass_loss(std::span<const LikelihoodPoint> curve, const WarningOptions& options) {
  const auto decline = static_cast<std::size_t>(options.decline);
  std::size_t begin = 0;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    if (!(curve[i].mass < curve[i - 1].mass)) begin = i;
    if (i - begin >= decline && curve[begin].mass - curve[i].mass > options.least_mass) {
      return Warning{WarningRule::mass_loss, curve[begin].step, curve[i].step};
    }
  }
  return std::nullopt;
}

}  // namespace

VocabularyTerm top_k_entropy(std::int64_t k, bool renormalised) {
  return {.name = "top_k_entropy", .reduce = [k, renormalised](const VocabularyChunk& chunk) {
            Tensor logs = top_log_probabilities(chunk.logits, k);
            if (renormalised) logs = at::log_softmax(logs, 1);
            return (logs.exp() * logs).sum(1) * (-1 / std::numbers::ln2);
          }};
}

VocabularyTerm top_k_mass(std::int64_t k) {
  return {.name = "top_k_mass",
          .reduce = [k](const VocabularyChunk& chunk) { return top_log_probabilities(chunk.logits, k).exp().sum(1); }};
}

double expectation_adjusted_distinct(std::span<const std::vector<std::int32_t>> texts, std::size_t n, double possible) {
  require(n > 0 && possible > 0, "n-grams of no tokens");
  std::set<std::vector<std::int32_t>> distinct;
  double count = 0;
  for (const auto& text : texts) {
    for (std::size_t i = 0; i + n <= text.size(); ++i) {
      const auto begin = text.begin() + static_cast<std::ptrdiff_t>(i);
      distinct.emplace(begin, begin + static_cast<std::ptrdiff_t>(n));
      count += 1;
    }
  }
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  // V (1 - (1 - 1/V)^C), in a form that a large V does not round to 0.
  const double expected = -possible * std::expm1(count * std::log1p(-1 / possible));
  return static_cast<double>(distinct.size()) / expected;
}

double cross_input_diversity(std::span<const std::vector<std::int32_t>> texts, double vocabulary) {
  double sum = 0, count = 0;
  for (std::size_t n = 1; n <= 5; ++n) {
    const double value = expectation_adjusted_distinct(texts, n, std::pow(vocabulary, static_cast<double>(n)));
    if (std::isnan(value)) continue;
    sum += value;
    count += 1;
  }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

std::string_view name(WarningRule rule) { return rule == WarningRule::entropy_turn ? "entropy-turn" : "mass-loss"; }

std::vector<Warning> over_optimisation_warnings(std::span<const LikelihoodPoint> curve, const WarningOptions& options) {
  require(options.patience > 0 && options.decline > 0, "a warning needs at least one evaluation");
  std::vector<Warning> warnings;
  if (const auto warning = entropy_turn(curve, options)) warnings.push_back(*warning);
  if (const auto warning = mass_loss(curve, options)) warnings.push_back(*warning);
  std::stable_sort(warnings.begin(), warnings.end(),
                   [](const Warning& a, const Warning& b) { return a.seen < b.seen; });
  return warnings;
}

}  // namespace attune::diagnostics
