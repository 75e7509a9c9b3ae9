// What Helping or Herding claims: an ensemble puts off the over-optimisation of errors that its members do not share,
// and does nothing about those that they do.
#include <ATen/ops/cat.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "attune/base/random.h"
#include "attune/rewards/ensemble.h"
#include "attune/tensor/torch.h"

namespace attune {
namespace {

constexpr std::int64_t members = 5;

// Answers by quality, which is normal, and five ways to please that do harm, which have a long tail: [count, 6].
Tensor answers(Random& random, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(random.normal());
    for (std::int64_t m = 0; m < members; ++m) values.push_back(std::exp(random.normal()) - std::exp(0.5));
  }
  return at::tensor(values, at::kDouble).view({count, 1 + members});
}

Tensor gold(const Tensor& features) { return features.select(1, 0) - 0.2 * features.slice(1, 1).sum(1); }

// A Bradley-Terry model, linear in the features, of annotators who like quality and are taken in by one of the tricks.
Tensor member(Random& random, std::int64_t trick) {
  const std::int64_t pairs = 300;
  const Tensor gaps = answers(random, pairs) - answers(random, pairs);
  const Tensor share = at::sigmoid(2 * gaps.select(1, 0) + 0.4 * gaps.select(1, trick));
  std::vector<double> signs;
  for (std::int64_t i = 0; i < pairs; ++i) signs.push_back(random.uniform() < share[i].item<double>() ? 1 : -1);
  const Tensor said = gaps * at::tensor(signs, at::kDouble).unsqueeze(1);
  Tensor weights = at::zeros({1 + members}, at::kDouble);
  for (int step = 0; step < 150; ++step) {
    const Tensor doubt = at::sigmoid(-at::matmul(said, weights));
    weights = weights + 0.1 * at::matmul(doubt, said) / static_cast<double>(pairs);
  }
  return weights;
}

// log2 of the n, a power of two, at which the best of n by `scores` has the greatest expected gold reward: over all
// subsets of n of the pool, the i-th lowest is the best of C(i - 1, n - 1) / C(N, n).
int peak(const std::vector<double>& scores, const std::vector<double>& truth) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  const auto log_choose = [](double n, double k) {
    return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
  };
  int best = 0;
  double most = -INFINITY;
  for (int power = 0; power <= 8; ++power) {
    const double n = std::exp2(power), size = static_cast<double>(order.size());
    double expected = 0;
    for (std::size_t i = static_cast<std::size_t>(n) - 1; i < order.size(); ++i) {
      const double share = std::exp(log_choose(static_cast<double>(i), n - 1) - log_choose(size, n));
      expected += share * truth[order[i]];
    }
    if (expected <= most) continue;
    most = expected;
    best = power;
  }
  return best;
}

// By how many doublings of n the peak of the ensemble lies after its members' (the mean of theirs).
double put_off(std::uint64_t seed, bool shared, Combine how) {
  Random random(seed, "ensemble");
  std::vector<Tensor> models;
  for (std::int64_t m = 0; m < members; ++m) models.push_back(member(random, shared ? 1 : 1 + m));
  const Tensor pool = answers(random, 2000), true_rewards = gold(pool);
  const auto column = [](const Tensor& values) {
    return std::vector<double>(values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
  };
  const auto truth = column(true_rewards);
  std::vector<std::vector<double>> said;
  double alone = 0;
  for (const Tensor& weights : models) {
    said.push_back(column(at::matmul(pool, weights)));
    alone += peak(said.back(), truth) / static_cast<double>(members);
  }
  std::vector<double> together;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    std::vector<double> rewards;
    for (const auto& one : said) rewards.push_back(one[i]);
    together.push_back(combine(rewards, how));
  }
  return peak(together, truth) - alone;
}

double mean_put_off(bool shared, Combine how) {
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) sum += put_off(seed, shared, how) / 6;
  return sum;
}

TEST(EnsembleClaims, ErrorsOfItsOwnMemberMatterLess) {
  EXPECT_GT(mean_put_off(false, Combine::mean), 1);  // the best n is more than twice as large
  EXPECT_GT(mean_put_off(false, Combine::min), 1);
}

TEST(EnsembleClaims, ErrorsThatAllShareMatterAsMuch) {
  EXPECT_LT(std::abs(mean_put_off(true, Combine::mean)), 0.75);
  EXPECT_LT(std::abs(mean_put_off(true, Combine::min)), 0.75);
}

}  // namespace
}  // namespace attune
