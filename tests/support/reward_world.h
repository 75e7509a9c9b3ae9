// Worlds of a known linear truth for reward models: answers with drawn features, of which the true reward is a linear
// function.
#pragma once

#include <ATen/ops/matmul.h>
#include <ATen/ops/norm.h>

#include <cmath>
#include <cstdint>

#include "attune/base/random.h"
#include "support/linear_policy.h"
#include "support/linear_rewards.h"

namespace attune::testing {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Two answers to each of `prompts` questions.
struct LinearWorld {
  Tensor features;  // [X, 2, D]
  Tensor truth;     // [D], of length `scale`

  LinearWorld(Random& random, std::int64_t prompts, std::int64_t width, double scale)
      : features(normal(random, {prompts, 2, width})), truth(normal(random, {width})) {
    truth.mul_(scale / truth.norm());
  }
  // Other questions under the same truth.
  LinearWorld(Random& random, std::int64_t prompts, const LinearWorld& like)
      : features(normal(random, {prompts, 2, like.features.size(2)})), truth(like.truth) {}

  std::int64_t prompts() const { return features.size(0); }
  // reward(x, 0) - reward(x, 1), [X].
  Tensor gaps(const Tensor& weights) const {
    const Tensor rewards = at::matmul(features, weights);
    return rewards.select(1, 0) - rewards.select(1, 1);
  }
  Tensor gaps() const { return gaps(truth); }
  // The share of the questions whose better answer the weights [D] find.
  double accuracy(const Tensor& weights) const {
    return ((gaps(weights) > 0) == (gaps() > 0)).to(at::kDouble).mean().item<double>();
  }
};

}  // namespace attune::testing
