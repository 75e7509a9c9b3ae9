// Signals of likelihood over-optimisation and the rules that warn of it: two of Shi et al. 2024, "Understanding likelihood
// over-optimisation in direct alignment algorithms", arXiv:2410.11677, and one of our own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "attune/diagnostics/pairs.h"
#include "attune/model/vocabulary.h"
#include "attune/policy/policy.h"

namespace attune::diagnostics {

// [c, 2] of the k most probable next tokens: H_k, their entropy in bits, -sum p log2 p; and M_k, the sum of their
// probabilities. The paper does not say whether the p of H_k are renormalised to sum to 1: `renormalised` does,
// otherwise they are the model's own.
VocabularyTerm top_k_signals(std::int64_t k, bool renormalised);

// Expectation-adjusted distinct n-grams (Liu et al. 2022, arXiv:2202.13587): distinct / (V (1 - ((V - 1) / V)^C)) over
// C n-grams of which V are possible: 1 where they are drawn evenly. NaN without an n-gram.
double expectation_adjusted_distinct(std::span<const std::vector<std::int32_t>> texts, std::size_t n, double possible);

// Its mean over n = 1 to 5, of those n that the texts are long enough for. V is the vocabulary to the n-th power: with
// the vocabulary alone, as the formula is often quoted, values for n above 1 exceed 1 without bound.
double cross_input_diversity(std::span<const std::vector<std::int32_t>> texts, double vocabulary);

// One evaluation of a run on a fixed set.
struct LikelihoodPoint {
  std::int64_t step = 0;
  double chosen = 0, rejected = 0;  // mean log-likelihood of a token, nats
  double entropy = 0, mass = 0;     // H_k in bits, M_k
};

struct LikelihoodOptions {
  std::int64_t k = 10;
  bool renormalised = false;
  std::int64_t batch_tokens = 8192;
};

// Means over the answers of the pairs of means over their tokens, H_k and M_k along the chosen ones; without gradient.
// The policy scores these records.
LikelihoodPoint likelihoods_of(Policy& policy, std::span<const TokenRecord> records,
                               std::span<const ComparedPair> pairs, const LikelihoodOptions& options = {});

enum class WarningRule {
  entropy_turn,  // H_k turned from rising to falling while the chosen likelihood still falls: typical of DPO and IPO
  mass_loss,     // M_k shrinks steadily, mass leaks out of the k most probable tokens: typical of a hinge loss
  // Ours: both H_k and the chosen likelihood are below where they began and fall on: the policy grows certain of
  // something else than the answers it was shown. Where the reference is peaked H_k never rises, so that it cannot turn.
  concentration,
};
std::string_view name(WarningRule rule);      // "entropy-turn", "mass-loss", "concentration"
std::string_view sentence(WarningRule rule);  // "the entropy turned ..."

struct Warning {
  WarningRule rule = WarningRule::entropy_turn;
  std::int64_t step = 0;  // where the turn was, or the shrinking began
  std::int64_t seen = 0;  // the evaluation at which the rule held for the first time
};

struct WarningOptions {
  int patience = 2;           // evaluations in a row that have to fall behind a turn, or fall on
  int decline = 3;            // evaluations in a row in which the mass has to shrink
  double least_entropy = 0.01;   // bits: smaller rises and falls are taken for noise
  double least_mass = 0.005;  // and a smaller loss of mass
  double least_fall = 0.1;    // nats a token that the chosen likelihood has to lose since the beginning
  double least_gain = 0.05;   // bits that the entropy has to lose since then: of certainty gained
};

// The first warning of each rule, in order of when it was seen; none for a run in order. Cheap enough to be asked after
// every evaluation.
std::vector<Warning> over_optimisation_warnings(std::span<const LikelihoodPoint> curve,
                                                const WarningOptions& options = {});

}  // namespace attune::diagnostics
