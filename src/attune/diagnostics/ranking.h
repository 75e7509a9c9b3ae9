// Which of two answers a model thinks more likely, and what its loss can say about that (Chen et al. 2024, "Preference
// learning algorithms do not learn preference rankings", arXiv:2405.19534).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "attune/stats/agreement.h"

namespace attune::diagnostics {

// One pair. A difference is log p(chosen) - log p(rejected).
struct RankedPair {
  double policy = 0, policy_per_token = 0;        // per_token: of the means over each answer's tokens
  double reference = 0, reference_per_token = 0;  // of the model that training started from
  double share = 1;                               // of the annotators that prefer the chosen answer

  // How far the reference prefers the wrong answer: log ref(rejected) - log ref(chosen).
  double difficulty() const { return -reference; }
};

inline bool ranks_right(double difference) { return difference >= 0; }

// -log sigmoid(beta (policy - reference)): the pair's DPO loss.
double dpo_loss(const RankedPair& pair, double beta);

// -log sigmoid(beta c), c the difficulty: the policy ranks the pair right exactly when its DPO loss is at most this
//. For a pair that the reference ranks wrong the bound lies below log 2 and shrinks like exp(-beta c).
double loss_bound(const RankedPair& pair, double beta);

// The difference that the optimum of DPO and RLHF has: reference + log(share / (1 - share)) / beta.
// Infinite where all annotators agree.
double idealised_difference(const RankedPair& pair, double beta);

struct RankingAccuracy {
  Share policy = {}, policy_per_token = {}, reference = {}, reference_per_token = {};  // ranked right
  Share idealised = {};                                                                // by the optimum
  Share implicit_reward = {};  // policy - reference above 0, a tie half: what DPO's own accuracy counts
  double gap() const { return idealised.value() - policy.value(); }
};
RankingAccuracy ranking_accuracy(std::span<const RankedPair> pairs, double beta);

// What became of the pairs whose difficulty lies in [from, to).
struct FlipRow {
  double from = -std::numeric_limits<double>::infinity(), to = std::numeric_limits<double>::infinity();
  std::int64_t right_to_right = 0, right_to_wrong = 0, wrong_to_right = 0, wrong_to_wrong = 0;
  std::int64_t pairs() const { return right_to_right + right_to_wrong + wrong_to_right + wrong_to_wrong; }
};
// `bins` rows (an even number) of equal width around 0, so that no row mixes pairs that the reference ranks right with
// others; the outermost are open. The width follows the 95 % quantile of the absolute difficulty.
std::vector<FlipRow> flip_table(std::span<const RankedPair> pairs, int bins);

}  // namespace attune::diagnostics
