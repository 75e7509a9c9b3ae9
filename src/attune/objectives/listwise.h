// What losses on ranked lists share: the lists as rows of a matrix, and the terms that several of them are made of.
//
// G lists of at most K answers. Where a list is shorter, `valid` is false, labels and log-probabilities are 0 and
// lengths are 1, so that nothing computed there is infinite.
#pragma once

#include "attune/objectives/objective.h"

namespace attune::objectives {

struct Lists {
  Tensor valid = {};                          // [G, K] bool
  Tensor labels = {};                         // [G, K], the data's scores: higher is better
  Tensor logps = {};                          // [G, K], log pi, with gradient
  Tensor reference = {};                      // [G, K], log reference; undefined without one
  Tensor behaviour = {};                      // [G, K], log-probability under the sampler, NaN where nobody knows
  Tensor lengths = {};                        // [G, K], scored tokens
  Tensor wins() const;                        // [G, K, K]: 1 where answer i has a better label than answer j, else 0
  Tensor size() const;                        // [G], answers
  Tensor masked(const Tensor& values) const;  // values [G, K], 0 where not valid
};

// The completions of a record that have a score.
std::vector<std::int32_t> scored_completions(const RecordView& record);
// Whether two of these completions have different scores: else there is nothing to rank.
bool ranks(const RecordView& record, std::span<const std::int32_t> completions);
// Adds the completions as one group, in the role ranked.
void lay_out_list(const RecordView& record, std::span<const std::int32_t> completions, Layout& layout);

inline constexpr const char* lists_data = "lists of answers with scores or ranks, two of them different";

// The groups in the role ranked.
Lists ranked_lists(const Responses& responses);
Lists ranked_lists(const Responses& responses, const char* reference);

// Labels moved and stretched so that the worst of each list is 0 and the best 1, [G, K].
Tensor unit_labels(const Lists& lists);

// How much a list's discounted gain changes when i and j trade places (Burges 2010, LambdaRank), [G, K, K]:
//   |G_i - G_j| |1 / D(rank_i) - 1 / D(rank_j)|,  G = 2^label - 1,  D(rank) = log(1 + rank),
// with ranks by the current scores (equal ones in order of the list), without gradient.
Tensor lambda_weights(const Lists& lists, const Tensor& labels, const Tensor& scores);

// How equal labels are treated. Breslow: each of them is drawn from all that are not better. Efron: the others of the
// tie are already partly gone, on average over their orders; closer to the exact sum over orders.
enum class Ties { efron, breslow };
constexpr auto enum_names(Ties) {
  return std::array{std::pair{std::string_view("efron"), Ties::efron},
                    std::pair{std::string_view("breslow"), Ties::breslow}};
}

// -log of the probability that drawing without replacement, with weights exp(scores), gives the order of the labels
// (Luce 1959, Plackett 1975), [G].
Tensor plackett_luce(const Lists& lists, const Tensor& scores, Ties ties);

// Over all comparisons that the lists imply: rewards/accuracies (a tie is half right) and rewards/margins.
void add_list_metrics(Metrics& metrics, const Lists& lists, const Tensor& rewards);

}  // namespace attune::objectives
