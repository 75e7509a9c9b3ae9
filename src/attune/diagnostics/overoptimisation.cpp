#include "attune/diagnostics/overoptimisation.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <set>

#include "attune/base/errors.h"
#include "attune/policy/packing.h"

namespace attune::diagnostics {
namespace {

// Log-probabilities of the k most probable tokens, [c, k].
Tensor top_log_probabilities(const Tensor& logits, std::int64_t k) {
  const Tensor top = std::get<0>(at::topk(logits, std::min(k, logits.size(1)), 1));
  return top - at::logsumexp(logits, 1, true);
}

// Log-likelihood, entropy and mass of tokens, each answer counting once.
class Means {
 public:
  void add(const double* values, double tokens_of_answer) {
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += values[i] / tokens_of_answer;
    answers_ += 1 / tokens_of_answer;
  }
  double mean(std::size_t which) const { return sums_[which] / answers_; }

 private:
  std::array<double, 3> sums_{};
  double answers_ = 0;
};

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

std::optional<Warning> concentration(std::span<const LikelihoodPoint> curve, const WarningOptions& options) {
  const auto patience = static_cast<std::size_t>(options.patience);
  std::size_t highest = 0;  // where the chosen likelihood began to fall
  for (std::size_t i = 1; i < curve.size(); ++i) {
    if (curve[i].chosen > curve[highest].chosen) highest = i;
    if (i < patience) continue;
    bool falls = curve[0].chosen - curve[i].chosen > options.least_fall &&
                 curve[0].entropy - curve[i].entropy > options.least_gain;
    for (std::size_t k = i - patience; falls && k < i; ++k) {
      falls = curve[k + 1].chosen < curve[k].chosen && curve[k + 1].entropy < curve[k].entropy;
    }
    if (falls) return Warning{WarningRule::concentration, curve[highest].step, curve[i].step};
  }
  return std::nullopt;
}

}  // namespace

VocabularyTerm top_k_signals(std::int64_t k, bool renormalised) {
  return {.name = "top_k_signals", .reduce = [k, renormalised](const VocabularyChunk& chunk) {
            const Tensor logs = top_log_probabilities(chunk.logits, k);
            const Tensor of_entropy = renormalised ? at::log_softmax(logs, 1) : logs;
            const Tensor entropy = (of_entropy.exp() * of_entropy).sum(1) * (-1 / std::numbers::ln2);
            return at::stack({entropy, logs.exp().sum(1)}, 1);
          }};
}

LikelihoodPoint likelihoods_of(Policy& policy, std::span<const TokenRecord> records,
                               std::span<const ComparedPair> pairs, const LikelihoodOptions& options) {
  const at::NoGradGuard no_gradient;
  const Needs needs{.vocabulary = {top_k_signals(options.k, options.renormalised)}, .tokens = true};
  Means chosen, rejected;
  for (const auto& bin : bins_of(records, options.batch_tokens)) {
    Layout layout;  // of the bin's pairs, which are in the order of the records
    for (const std::int64_t index : bin) {
      const auto record = static_cast<std::size_t>(index);
      const RecordView view = records[record].view(index);
      for (const ComparedPair& pair : std::ranges::equal_range(pairs, record, {}, &ComparedPair::record)) {
        layout.add(view, pair.chosen, ResponseRole::chosen);
        layout.add(view, pair.rejected, ResponseRole::rejected);
      }
      layout.end_record();
    }
    const Batch batch = layout.take();
    if (batch.responses.empty()) continue;
    const TokenColumns tokens = policy.score(batch, needs).tokens;
    const Tensor columns =
        at::cat({tokens.logps.unsqueeze(1), tokens.vocabulary.at("top_k_signals").to(tokens.logps.scalar_type())}, 1)
            .to(at::kCPU, at::kDouble)
            .contiguous();
    const Tensor owner = tokens.response.cpu().contiguous();
    for (std::int64_t i = 0; i < columns.size(0); ++i) {
      const auto& response = batch.responses[static_cast<std::size_t>(owner.const_data_ptr<std::int64_t>()[i])];
      (response.role == ResponseRole::chosen ? chosen : rejected)
          .add(columns.const_data_ptr<double>() + 3 * i, static_cast<double>(response.tokens));
    }
  }
  return {.chosen = chosen.mean(0), .rejected = rejected.mean(0), .entropy = chosen.mean(1), .mass = chosen.mean(2)};
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

std::string_view name(WarningRule rule) {
  switch (rule) {
    case WarningRule::entropy_turn: return "entropy-turn";
    case WarningRule::mass_loss: return "mass-loss";
    case WarningRule::concentration: return "concentration";
  }
  throw InternalError({}, "a warning of no known rule");
}

std::string_view sentence(WarningRule rule) {
  switch (rule) {
    case WarningRule::entropy_turn: return "the entropy turned from rising to falling while the chosen likelihood falls";
    case WarningRule::mass_loss: return "mass leaks steadily out of the most probable tokens";
    case WarningRule::concentration: return "the policy grows certain of something else than the chosen answers";
  }
  throw InternalError({}, "a warning of no known rule");
}

std::vector<Warning> over_optimisation_warnings(std::span<const LikelihoodPoint> curve, const WarningOptions& options) {
  require(options.patience > 0 && options.decline > 0, "a warning needs at least one evaluation");
  std::vector<Warning> warnings;
  if (const auto warning = entropy_turn(curve, options)) warnings.push_back(*warning);
  if (const auto warning = mass_loss(curve, options)) warnings.push_back(*warning);
  if (const auto warning = concentration(curve, options)) warnings.push_back(*warning);
  std::stable_sort(warnings.begin(), warnings.end(),
                   [](const Warning& a, const Warning& b) { return a.seen < b.seen; });
  return warnings;
}

}  // namespace attune::diagnostics
