#include "attune/diagnostics/ranking.h"

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"

namespace attune::diagnostics {
namespace {

// log(1 + exp(x)), = -log sigmoid(-x)
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace

double dpo_loss(const RankedPair& pair, double beta) { return softplus(-beta * (pair.policy - pair.reference)); }

double loss_bound(const RankedPair& pair, double beta) { return softplus(-beta * pair.difficulty()); }

double idealised_difference(const RankedPair& pair, double beta) {
  return pair.reference + std::log(pair.share / (1 - pair.share)) / beta;
}

RankingAccuracy ranking_accuracy(std::span<const RankedPair> pairs, double beta) {
  RankingAccuracy result;
  for (const RankedPair& pair : pairs) {
    result.policy.add(ranks_right(pair.policy));
    result.policy_per_token.add(ranks_right(pair.policy_per_token));
    result.reference.add(ranks_right(pair.reference));
    result.reference_per_token.add(ranks_right(pair.reference_per_token));
    result.idealised.add(idealised_difference(pair, beta) > 0);
    const double reward = pair.policy - pair.reference;
    result.implicit_reward.successes += reward > 0 ? 1 : reward == 0 ? 0.5 : 0;
    result.implicit_reward.trials += 1;
  }
  return result;
}

std::vector<FlipRow> flip_table(std::span<const RankedPair> pairs, int bins) {
  require(bins >= 2 && bins % 2 == 0, "a flip table needs an even number of bins");
  std::vector<double> sizes;
  for (const RankedPair& pair : pairs) sizes.push_back(std::abs(pair.difficulty()));
  std::sort(sizes.begin(), sizes.end());
  const int half = bins / 2;
  const double reach = sizes.empty() ? 0 : sizes[(sizes.size() - 1) * 95 / 100];
  const double width = reach > 0 ? reach / half : 1;
  std::vector<FlipRow> rows(static_cast<std::size_t>(bins));
  for (int i = 1; i < bins; ++i) {
    const double edge = width * (i - half);
    rows[static_cast<std::size_t>(i)].from = edge;
    rows[static_cast<std::size_t>(i) - 1].to = edge;
  }
  for (const RankedPair& pair : pairs) {
    // A tie is ranked right: difficulty 0 belongs to the row below 0.
    const double c = pair.difficulty();
    const auto place = std::find_if(rows.begin(), rows.end() - 1,
                                    [&](const FlipRow& row) { return c < row.to || (c == 0 && row.to == 0); });
    const bool before = ranks_right(pair.reference), after = ranks_right(pair.policy);
    ++(before ? (after ? place->right_to_right : place->right_to_wrong)
              : (after ? place->wrong_to_right : place->wrong_to_wrong));
  }
  return rows;
}

}  // namespace attune::diagnostics
