// The centred hidden embedding similarity of a preference pair, which foretells whether learning the pair makes the
// chosen answer less likely (Razin et al. 2024, "Unintentional unalignment: likelihood displacement in direct
// preference optimization", arXiv:2410.08847, definition 2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/diagnostics/pairs.h"

namespace attune::diagnostics {

// S(y): the sum over y's scored tokens of the final hidden state that predicts the token.
struct Ches {
  double raw = 0;         // <S(y+), S(y-)> - |S(y+)|^2
  double normalised = 0;  // <S(y+), S(y-)> / (|y+| |y-|) - |S(y+)|^2 / |y+|^2
};
// Both sums [d]; lengths in scored tokens.
Ches ches_of(const Tensor& chosen_sum, const Tensor& rejected_sum, const Sides& lengths);

// What one pass over the pairs under one model gives.
struct PairStates {
  std::vector<Ches> ches = {};      // of each pair
  std::vector<Sides> logps = {};    // of each pair, nats
  Tensor chosen_distribution = {};  // [V] double: the mean next-token distribution where chosen answers are scored
};
struct StateOptions {
  std::int64_t batch_tokens = 4096;
  bool distribution = false;  // costs a second pass of the head over the chosen answers
};
// `pairs` in order of their records.
PairStates pair_states(const LanguageModel& model, std::span<const TokenRecord> records,
                       std::span<const ComparedPair> pairs, const StateOptions& options);

}  // namespace attune::diagnostics
